"""Precision and recall on one scan with a toy of the recorded datasets: the tables keep AP, not the curves behind it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vaead_core import scorers
from vaead_core.anomalies.toys.datasets import DATASETS, plant
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.errors import CheckpointError
from vaead_core.experiments.toy_scans import score_map
from vaead_core.measures.precision_recall import PrecisionRecall, precision_recall
from vaead_core.pipeline.scoring import PreparedScan
from vaead_core.scans.volume import Array, Slices


@dataclass(frozen=True)
class SampleCurves:
    """held: the slices with the toy, truth (N, H, W). curves: method → its curve and what 5 % of healthy pixels exceed."""

    held: Slices
    truth: Array
    curves: dict[str, tuple[PrecisionRecall, float]]


def sample_curves(
    dataset: str, combination: str, prepared: PreparedScan, checkpoint: Checkpoint, names: tuple[str, ...], seed: int = 0
) -> SampleCurves:
    """Curves of map scorers, pooled over the slices that hold the toy. Raises InputError where one cannot be had."""
    for name in names:
        if name not in checkpoint.calibration:
            title = scorers.SCORERS[name].title
            raise CheckpointError(f"{checkpoint.name} is not calibrated for {title}; choose another method.")
    toy = next(one for one in DATASETS[dataset] if one.name == combination)
    case = plant(dataset, toy, prepared.slices, prepared.brain.spacing_mm, prepared.brain.scan.name, seed)
    held, truth = case.slices[case.planted], case.truth[case.planted]
    curves = {}
    for name in names:
        curve = precision_recall(np.asarray(score_map(checkpoint, (name, ()), held)), truth, held)
        if curve is not None:
            curves[name] = curve, checkpoint.calibration[name].threshold(0.05)
    return SampleCurves(held, truth, curves)
