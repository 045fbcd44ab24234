"""Precision and recall at every threshold of a map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vaead_core.metrics import Detection, detection
from vaead_core.volume import Array, Slices


@dataclass(frozen=True)
class PrecisionRecall:
    """values: (n,) rising, of all pixels. positives: (p,) rising, of the anomalous ones. detection: AP beside chance."""

    values: Array
    positives: Array
    detection: Detection

    def above(self, thresholds: Array | float) -> tuple[Array, Array]:
        """Precision and recall of the pixels above each threshold; precision 1 where there are none."""
        hits = len(self.positives) - np.searchsorted(self.positives, thresholds, "right")
        marked = len(self.values) - np.searchsorted(self.values, thresholds, "right")
        return np.where(marked, hits / np.maximum(marked, 1), 1.0), hits / len(self.positives)

    def thresholds(self, most: int = 40) -> Array:
        """(T,) rising from 0, T ≤ `most` + 1: just below positives' values at even steps of recall."""
        rows = np.unique(np.linspace(0, len(self.positives) - 1, most).round().astype(int))
        below = np.nextafter(self.positives[rows], self.positives.dtype.type(-np.inf))
        return np.unique([0.0, *np.maximum(below, 0).tolist()])


def precision_recall(maps: Array, truth: Array, slices: Slices) -> PrecisionRecall | None:
    """|maps| against `truth`, both (N, H, W), over the brain of the images that hold a part of the truth; None without one."""
    held = truth.any(axis=(1, 2))
    brain = slices.mask[held]
    values, hit = np.abs(maps[held][brain]), truth[held][brain]
    if not hit.any() or hit.all():
        return None
    return PrecisionRecall(np.sort(values), np.sort(values[hit]), detection(values, hit))
