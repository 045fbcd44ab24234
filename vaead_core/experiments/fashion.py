"""Fashion-MNIST: t-shirts are normal, each other class is an anomaly (thesis, sections 3.1 and 4.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from vaead_core import scorers
from vaead_core.checkpoint import Checkpoint
from vaead_core.cohorts.fashion_mnist import CLASSES, FashionMNIST, load_fashion_mnist, to_slices, tshirt_split
from vaead_core.experiments.records import ALL, Measurement
from vaead_core.experiments.subjects import opened
from vaead_core.experiments.toy_scans import Choice, fitted
from vaead_core.metrics import Ranking
from vaead_core.volume import Array, Slices

BALANCED, FULL, CHOOSING = "balanced", "full", "choosing"
PER_CLASS = 700
RESAMPLES = 1000


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
        checkpoint = opened(self.checkpoint)
        data = load_fashion_mnist()
        _, validation, test = tshirt_split(data.labels, checkpoint.description["training"].get("split_seed", 0))
        normal = self._score(checkpoint, to_slices(data.images[test]))
        classes = {name: self._score(checkpoint, _images_of(data, name)) for name in CLASSES[1:]}
        found = [*self._compare(checkpoint, FULL, normal, classes)]
        found += self._compare(checkpoint, BALANCED, normal, {name: values[:PER_CLASS] for name, values in classes.items()})
        shirts = data.images[validation[:PER_CLASS]]
        held_out = self._score(checkpoint, to_slices(shirts))
        changed = {name: self._score(checkpoint, to_slices(images)) for name, images in deformed(shirts).items()}
        return [*found, *self._compare(checkpoint, CHOOSING, held_out, changed)]

    def _score(self, checkpoint: Checkpoint, images: Slices) -> Array:
        name, settings = self.score
        if name in scorers.SCORERS:
            return scorers.build(name, **dict(settings)).score(checkpoint.model, images)
        return fitted(self.checkpoint, self.score).score(checkpoint.model.latents(images), images.position)

    def _compare(self, checkpoint: Checkpoint, protocol: str, normal: Array, classes: dict[str, Array]) -> Iterator[Measurement]:
        """One row a class; in the row "all" the means. The interval is in `low_high`."""
        rows = {}
        for name, anomalous in classes.items():
            one = Ranking(np.concatenate([anomalous, normal])).detection(np.repeat([True, False], [len(anomalous), len(normal)]))
            rows[name] = (one.ap, one.auroc, one.prevalence, one.best_dice)
        rows[ALL] = tuple(np.mean(list(rows.values()), axis=0))
        resampled = _resampled(normal, classes)
        name, settings = self.score
        described = ", ".join(f"{key}={value}" for key, value in settings if key != "masked")
        for label, (ap, auroc, prevalence, best_dice) in rows.items():
            low, high = np.quantile(resampled[label], [0.025, 0.975])
            yield Measurement(
                "detection", name, described, True, protocol, label, f"{len(normal)} t-shirts", checkpoint.name,
                checkpoint.description["training"]["seed"], float(ap), float(auroc), float(prevalence),
                best_dice=float(best_dice), ap_low=float(low), ap_high=float(high),
            )  # fmt: skip


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


def _images_of(data: FashionMNIST, name: str) -> Slices:
    return to_slices(data.images[data.labels == CLASSES.index(name)])


def _resampled(normal: Array, classes: dict[str, Array]) -> dict[str, Array]:
    """AP of RESAMPLES bootstrap draws of the images, a class and their mean; normal images are shared by the classes."""
    rng = np.random.default_rng(0)
    found: dict[str, list[float]] = {name: [] for name in classes}
    for _ in range(RESAMPLES):
        ours = rng.choice(normal, len(normal))
        for name, anomalous in classes.items():
            drawn = np.concatenate([rng.choice(anomalous, len(anomalous)), ours])
            found[name].append(Ranking(drawn).detection(np.repeat([True, False], [len(anomalous), len(ours)])).ap)
    arrays = {name: np.array(values) for name, values in found.items()}
    return arrays | {ALL: np.mean(list(arrays.values()), axis=0)}
