"""Fashion-MNIST: t-shirts are normal, each other class is an anomaly (thesis, sections 3.1 and 4.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy import ndimage

from vaead_core import scorers
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.checkpoints.search import opened
from vaead_core.cohorts.fashion_mnist import CLASSES, FashionMNIST, load_fashion_mnist, to_slices, tshirt_split
from vaead_core.detectors.latent_detector import LatentDetector
from vaead_core.experiments.records import ALL, Measurement
from vaead_core.experiments.toy_scans import Choice, described, fit, fitted
from vaead_core.measures.metrics import detection, separation
from vaead_core.measures.precision_recall import PrecisionRecall
from vaead_core.scans.volume import Array, Slices

RECONSTRUCTION = "reconstruction_mse"
PER_CLASS = 700
RESAMPLES = 1000


@dataclass(frozen=True)
class Seen:
    """What a model makes of some images. latents: (N, L). error: (N,) reconstruction error."""

    latents: Array
    error: Array

    def scores(self, detector: LatentDetector) -> Array:
        """(N,) of the latents; a picture has no position."""
        return detector.score(self.latents, np.zeros(len(self.latents), int))


@dataclass(frozen=True)
class FashionPart:
    """One score on one trained model.

    Three protocols: `balanced`, the 700 test t-shirts against the first 700 images of a class; `full`, against all
    7,000; `choosing`, 700 validation t-shirts against the same ones deformed, for choosing a detector without a look
    at any other class.
    """

    checkpoint: str
    score: Choice

    def measure(self) -> list[Measurement]:
        """Average precision a class and their mean, each with a bootstrap interval over images."""
        seen = seen_images(self.checkpoint)
        scores = {name: self._score(images) for name, images in seen.items()}
        classes = {name: scores[name] for name in CLASSES[1:]}
        first = {name: values[:PER_CLASS] for name, values in classes.items()}
        changed = {name: scores[name] for name in deformed(np.zeros((1, 28, 28), np.uint8))}
        return [
            *self._compare("full", scores["test"], classes),
            *self._compare("balanced", scores["test"], first),
            *self._compare("choosing", scores["validation"], changed),
        ]

    def _score(self, seen: Seen) -> Array:
        return seen.error if self.score[0] == RECONSTRUCTION else seen.scores(fitted(self.checkpoint, self.score))

    def _compare(self, protocol: str, normal: Array, classes: dict[str, Array]) -> Iterator[Measurement]:
        """One measurement a class, and one "all" of their means, with intervals over images."""
        checkpoint = opened(self.checkpoint)
        found = {name: separation(anomalous, normal) for name, anomalous in classes.items()}
        rows = {name: (one.ap, one.auroc, one.prevalence, one.best_dice) for name, one in found.items()}
        rows[ALL] = tuple(np.mean(list(rows.values()), axis=0))
        resampled = _resampled(normal, classes)
        name, settings = self.score
        for label, (ap, auroc, prevalence, best_dice) in rows.items():
            low, high = np.quantile(resampled[label], [0.025, 0.975])
            yield Measurement(
                "detection", name, described(settings), True, protocol, label, f"{len(normal)} t-shirts", checkpoint.name,
                checkpoint.provenance.training.seed, float(ap), float(auroc), float(prevalence),
                best_dice=float(best_dice), ap_low=float(low), ap_high=float(high),
            )  # fmt: skip


@lru_cache(maxsize=2)
def seen_images(folder: str) -> dict[str, Seen]:
    """Test and validation t-shirts, every other class, and deformed validation t-shirts through a model, once a process."""
    checkpoint = opened(folder)
    data = load_fashion_mnist()
    _, validation, test = tshirt_split(data.labels, checkpoint.provenance.training.split_seed)
    shirts = data.images[validation[:PER_CLASS]]
    images = {"test": data.images[test], "validation": shirts, **deformed(shirts)}
    images |= {name: data.images[data.labels == CLASSES.index(name)] for name in CLASSES[1:]}
    return {name: _seen(checkpoint, to_slices(pixels)) for name, pixels in images.items()}


@dataclass(frozen=True)
class Ranked:
    """Test t-shirts and as many images of another class, the most abnormal first.

    images: (n, 28, 28) uint8. abnormal: (n,) bool, of the other class. scores: (n,). curve: precision and recall.
    usual: the score that 5 % of the t-shirts exceed.
    """

    images: Array
    abnormal: Array
    scores: Array
    curve: PrecisionRecall
    usual: float

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, rows: slice) -> Ranked:
        """Some of the images, in the order of `rows`."""
        return replace(self, images=self.images[rows], abnormal=self.abnormal[rows], scores=self.scores[rows])


def ranked(checkpoint: Checkpoint, data: FashionMNIST, other: str, name: str) -> Ranked:
    """The `balanced` protocol on one other class, by RECONSTRUCTION or an outlier detector's `name`."""
    _, _, test = tshirt_split(data.labels, checkpoint.provenance.training.split_seed)
    theirs = np.flatnonzero(data.labels == CLASSES.index(other))[:PER_CLASS]
    images = data.images[np.concatenate([test, theirs])]
    abnormal = np.repeat([False, True], [len(test), len(theirs)])
    seen = _seen(checkpoint, to_slices(images))
    scores = seen.error if name == RECONSTRUCTION else seen.scores(fit(checkpoint, (name, ())))
    curve = PrecisionRecall(np.sort(scores), np.sort(scores[abnormal]), detection(scores, abnormal))
    order = np.argsort(-scores, kind="stable")
    usual = float(np.quantile(scores[~abnormal], 0.95))
    return Ranked(images[order], abnormal[order], scores[order], curve, usual)


def _seen(checkpoint: Checkpoint, images: Slices) -> Seen:
    return Seen(checkpoint.model.latents(images), scorers.build_image(RECONSTRUCTION).score(checkpoint.model, images))


def deformed(images: Array) -> dict[str, Array]:
    """T-shirts (N, 28, 28) uint8 made unlike t-shirts in five ways: anomalies that need no other class."""
    half = images.shape[1] // 2
    other = images[np.roll(np.arange(len(images)), 1)]
    narrow = ndimage.zoom(images, (1, 1, 0.5), order=1)
    side = (images.shape[2] - narrow.shape[2]) // 2
    return {
        "upside down": images[:, ::-1],
        "lying": np.rot90(images, axes=(1, 2)),
        "narrow": np.pad(narrow, ((0, 0), (0, 0), (side, images.shape[2] - narrow.shape[2] - side))),
        "halves of two": np.concatenate([images[:, :, :half], other[:, :, half:]], 2),
        "lower half doubled": np.concatenate([images[:, half:], images[:, half:]], 1),
    }


def _resampled(normal: Array, classes: dict[str, Array]) -> dict[str, Array]:
    """AP of RESAMPLES bootstrap draws of the images, a class and their mean; normal images are shared by the classes."""
    rng = np.random.default_rng(0)
    found: dict[str, list[float]] = {name: [] for name in classes}
    for _ in range(RESAMPLES):
        ours = rng.choice(normal, len(normal))
        for name, anomalous in classes.items():
            found[name].append(separation(rng.choice(anomalous, len(anomalous)), ours).ap)
    arrays = {name: np.array(values) for name, values in found.items()}
    return arrays | {ALL: np.mean(list(arrays.values()), axis=0)}
