"""Toys planted in one subject: how well maps find them, and how well scores tell their slices from clean ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from vaead_core import detectors, scorers
from vaead_core.anomalies.toys import ToyCase
from vaead_core.anomalies.toys.datasets import DATASETS, Combination, plant
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.checkpoints.search import opened
from vaead_core.detectors.latent_detector import LatentDetector, fit_latent_detector
from vaead_core.detectors.preparation import LatentPreparation
from vaead_core.experiments.records import Measurement
from vaead_core.experiments.subjects import judging, prepared
from vaead_core.measures.aggregates import MEASURED, aggregate
from vaead_core.measures.metrics import detection, dice, separation
from vaead_core.measures.smoothing import gaussian
from vaead_core.scans.volume import Array, Slices

Settings = tuple[tuple[str, Any], ...]
Choice = tuple[str, Settings]


@dataclass(frozen=True)
class ToyPart:
    """One dataset in one subject through one checkpoint.

    maps: (scorer, settings) whose maps are measured; the setting "gaussian_mm" smooths the map, the others are the
    scorer's own. detectors: (detector, settings); settings "standardise", "components" and "nearby" prepare its latents,
    the others are its own. detect: whether slices are told apart too.
    """

    checkpoint: str
    source: str
    subject: str
    dataset: str
    seed: int
    maps: tuple[Choice, ...]
    detectors: tuple[Choice, ...] = ()
    detect: bool = True

    def measure(self) -> list[Measurement]:
        """Every scorer on every combination of the dataset."""
        checkpoint = judging(self.checkpoint, self.source, self.subject)
        clean = prepared(self.source, self.subject, self.checkpoint)
        clean_scores = self._image_scores(checkpoint, clean) if self.detect else {}
        found: list[Measurement] = []
        for combination in DATASETS[self.dataset]:
            case = plant(self.dataset, combination, clean, _spacing_mm(checkpoint), self.subject, self.seed)
            held = case.slices[case.planted]
            maps = {choice: score_map(checkpoint, choice, held) for choice in self.maps}
            found += self._segmentation(checkpoint, maps, held, case.truth[case.planted], combination)
            if self.detect:
                found += self._detection(self._image_scores(checkpoint, held, maps), clean_scores, case, combination)
        return found

    def _segmentation(
        self, checkpoint: Checkpoint, maps: dict[Choice, Array], held: Slices, truth: Array, combination: Combination
    ) -> Iterator[Measurement]:
        for choice, values in maps.items():
            masked = dict(choice[1]).get("masked", True)
            where = held.mask if masked else np.ones_like(held.mask)
            threshold = checkpoint.calibration[choice[0]].threshold(0.05) if is_default(choice) else np.nan
            rows = []
            for image, brain, hit in zip(values, where, truth, strict=True):
                one = detection(image[brain], hit[brain])
                at_5 = dice(image[brain] > threshold, hit[brain]) if np.isfinite(threshold) else np.nan
                rows.append((one.ap, one.auroc, one.prevalence, one.best_dice, at_5))
            ap, auroc, prevalence, best_dice, dice_at_5 = np.mean(rows, axis=0)
            pooled = detection(values[where], truth[where]).ap
            numbers = {"ap": ap, "auroc": auroc, "prevalence": prevalence, "best_dice": best_dice, "dice_at_5": dice_at_5}
            yield self._measurement("segmentation", choice, combination, **numbers, pooled_ap=pooled)

    def _detection(
        self, scores: dict[Choice, Array], clean: dict[Choice, Array], case: ToyCase, combination: Combination
    ) -> Iterator[Measurement]:
        """Planted slices against their clean twins (prevalence ½), and against the scan's other slices."""
        for choice, anomalous in scores.items():
            twins, rest = clean[choice][case.planted], clean[choice][~case.planted]
            for task, normal in (("detection", twins), ("detection_rest", rest)):
                one = separation(anomalous, normal)
                numbers = {"ap": one.ap, "auroc": one.auroc, "prevalence": one.prevalence, "best_dice": one.best_dice}
                yield self._measurement(task, choice, combination, **numbers)

    def _image_scores(
        self, checkpoint: Checkpoint, slices: Slices, maps: dict[Choice, Array] | None = None
    ) -> dict[Choice, Array]:
        """(N,) values of every image scorer, of the aggregates of every map in the brain, and of every detector."""
        maps = maps or {choice: score_map(checkpoint, choice, slices) for choice in self.maps}
        scores: dict[Choice, Array] = {}
        for name in sorted(set(scorers.SCORERS) - set(scorers.map_scorers())):
            for masked in ({}, {"masked": False}) if "masked" in scorers.SCORERS.settings(name) else ({},):
                scores[name, tuple(masked.items())] = scorers.build_image(name, **masked).score(checkpoint.model, slices)
        for (name, settings), values in maps.items():
            if dict(settings).get("masked", True):
                for kind, column in aggregate(values, slices.mask, MEASURED).items():
                    scores[name, (*settings, ("aggregate", kind))] = column
        latents = checkpoint.model.latents(slices)
        for choice in self.detectors:
            scores[choice] = fitted(self.checkpoint, choice).score(latents, slices.position)
        return scores

    def _measurement(self, task: str, choice: Choice, combination: Combination, **numbers: float) -> Measurement:
        name, settings = choice
        masked = dict(settings).get("masked", True)
        return Measurement(
            task, name, described(settings), masked, self.dataset, combination.name, self.subject,
            opened(self.checkpoint).name, self.seed, **{key: float(value) for key, value in numbers.items()},
        )  # fmt: skip


def described(settings: Settings) -> str:
    """For example "stage=2, aggregate=top10"; masking has a column of its own."""
    return ", ".join(f"{key}={value}" for key, value in settings if key != "masked")


def is_default(choice: Choice) -> bool:
    """Whether a scorer is used as it was calibrated."""
    return not choice[1]


def score_map(checkpoint: Checkpoint, choice: Choice, slices: Slices) -> Array:
    """(N, H, W) map of a (scorer, settings), higher = more abnormal."""
    settings = dict(choice[1])
    width_mm = settings.pop("gaussian_mm", 0)
    maps = scorers.build_map(choice[0], **settings).score_map(checkpoint.model, slices)
    if width_mm:
        maps = gaussian(maps, slices.mask, width_mm / _spacing_mm(checkpoint))
    return scorers.abnormality(choice[0], maps)


def _spacing_mm(checkpoint: Checkpoint) -> float:
    return checkpoint.preprocessor.spacing_mm if checkpoint.preprocessor else 1


@lru_cache(maxsize=256)
def fitted(folder: str, choice: Choice) -> LatentDetector:
    """What `fit` gives, once a process."""
    return fit(opened(folder), choice)


def fit(checkpoint: Checkpoint, choice: Choice) -> LatentDetector:
    """A detector fitted on the checkpoint's healthy training latents."""
    healthy = checkpoint.latents
    name, settings = choice[0], dict(choice[1])
    preparation = LatentPreparation(settings.pop("standardise", "global"), settings.pop("components", None))
    return fit_latent_detector(
        name, healthy.mean.astype(np.float32), healthy.position, preparation, settings.pop("nearby", None), **settings
    )


def all_detectors(**preparation: Any) -> tuple[Choice, ...]:
    """Every registered detector with its defaults, its latents prepared as said."""
    return tuple((name, tuple(preparation.items())) for name in sorted(detectors.DETECTORS))
