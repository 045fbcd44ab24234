"""What a reader of a thresholded map meets: Dice, lesions found by their size, false positives, and what a threshold marks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.checkpoints.search import opened
from vaead_core.experiments import painted
from vaead_core.experiments.records import ALL
from vaead_core.experiments.subjects import judging, prepared_brain
from vaead_core.measures.found_lesions import SMALLEST_ML, components, found_lesions
from vaead_core.measures.metrics import dice
from vaead_core.pipeline.scoring import PreparedScan, Scored, score
from vaead_core.scans.preprocessing import Preprocessor
from vaead_core.scans.volume import Brain, Slices

THRESHOLDS = (0.01, 0.05)  # the share of healthy validation voxels above them
RATES = (0.01, 0.02, 0.05, 0.10, 0.20, 0.30, 0.50)  # of the calibration plot
EDGES_ML = (SMALLEST_ML, 0.3, 1.0, 10.0, np.inf)  # of the size classes; smaller components of truth or map do not count
SIZES = tuple(f"{low:g} to {high:g} ml" if np.isfinite(high) else f"above {low:g} ml" for low, high in pairwise(EDGES_ML))
HEALTHY = "healthy"


@dataclass(frozen=True)
class Reading:
    """One measure of one scorer at one threshold in one brain: `value` out of `count`.

    measure: dice (of 1), sensitivity (lesions found, of those of a size), false_positives (components, of 1 brain), marked
    (brain voxels above the threshold, of all). threshold: share of healthy validation voxels above it. twin: `value` of
    the same places in the brain before it was painted, which is chance; NaN where nothing was painted.
    """

    measure: str
    scorer: str
    threshold: float
    dataset: str
    combination: str
    size: str
    subject: str
    checkpoint: str
    seed: int
    value: float
    count: int
    twin: float = float("nan")


@dataclass(frozen=True)
class ReadoutPart:
    """One kind of painted lesion, or HEALTHY for none, in one subject through one checkpoint, by the scorers named."""

    checkpoint: str
    source: str
    subject: str
    kind: str
    seed: int
    scorers: tuple[str, ...]

    def measure(self) -> list[Reading]:
        """Every scorer at every threshold of the scan's own scale. Raises CheckpointError where one has none."""
        checkpoint = judging(self.checkpoint, self.source, self.subject)
        brain = prepared_brain(self.source, self.subject, self.checkpoint)
        ready = PreparedScan(brain, _preprocessor(checkpoint).to_slices(brain))
        shown = {name: score(ready, checkpoint, name) for name in self.scorers}
        if self.kind == HEALTHY:
            return list(self._healthy(checkpoint, ready.slices, shown))
        return list(self._painted(checkpoint, brain, shown))

    def _healthy(self, checkpoint: Checkpoint, slices: Slices, shown: dict[str, Scored]) -> Iterator[Reading]:
        preprocessor = _preprocessor(checkpoint)
        for name, one in shown.items():
            values = one.abnormality
            in_brain = values[slices.mask]
            for rate in RATES:
                above = int((in_brain > one.healthy.threshold(rate)).sum())
                yield self._reading("marked", name, rate, value=above, count=in_brain.size)
            for rate in THRESHOLDS:
                marked = preprocessor.slice_grid.to_volume((values > one.thresholds[rate]) & slices.mask, slices) > 0
                _, volumes_ml = components(marked, preprocessor.spacing_mm)
                yield self._reading("false_positives", name, rate, value=len(volumes_ml), count=1)

    def _painted(self, checkpoint: Checkpoint, brain: Brain, before: dict[str, Scored]) -> Iterator[Reading]:
        preprocessor = _preprocessor(checkpoint)
        for combination in painted.KINDS[self.kind]:
            case = painted.paint(self.kind, combination, brain, self.subject, self.seed)
            slices = preprocessor.to_slices(case.brain)
            truth = preprocessor.slice_grid.on_slices(case.truth, slices) & slices.mask
            labels, volumes_ml = components(preprocessor.slice_grid.to_volume(truth, slices) > 0, preprocessor.spacing_mm)
            labels = preprocessor.slice_grid.on_slices(labels, slices)
            for name in self.scorers:
                both = (score(PreparedScan(case.brain, slices), checkpoint, name), before[name])
                values = [one.abnormality for one in both]
                for rate in THRESHOLDS:
                    marked, twin = ((value > one.thresholds[rate]) & slices.mask for value, one in zip(values, both, strict=True))
                    overlaps = {"value": dice(marked, truth), "twin": dice(twin, truth)}
                    yield self._reading("dice", name, rate, combination=combination, count=1, **overlaps)
                    found, by_chance = (found_lesions(one, labels, len(volumes_ml)) for one in (marked, twin))
                    for size, (low, high) in zip(SIZES, pairwise(EDGES_ML), strict=True):
                        these = (volumes_ml >= low) & (volumes_ml < high)
                        if these.any():
                            at = {"combination": combination, "size": size, "count": int(these.sum())}
                            hits = {"value": int(found[these].sum()), "twin": int(by_chance[these].sum())}
                            yield self._reading("sensitivity", name, rate, **at, **hits)

    def _reading(self, measure: str, scorer: str, threshold: float, **more: Any) -> Reading:
        about: dict[str, Any] = {"dataset": self.kind, "subject": self.subject, "seed": self.seed}
        about |= {"combination": ALL, "size": ALL}
        return Reading(measure, scorer, threshold, checkpoint=opened(self.checkpoint).name, **about | more)


def _preprocessor(checkpoint: Checkpoint) -> Preprocessor:
    if checkpoint.preprocessor is None:
        raise ValueError("lesions are painted in scans")
    return checkpoint.preprocessor
