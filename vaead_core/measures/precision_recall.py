"""Precision and recall at every threshold of a map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vaead_core.measures.metrics import Detection, Ranking
from vaead_core.scans.volume import Array, Slices


@dataclass(frozen=True)
class PrecisionRecall:
    """values: (n,) rising, of all pixels. positives: (p,) rising, of the anomalous ones. detection: AP beside chance."""

    values: Array
    positives: Array
    detection: Detection

    @staticmethod
    def of(values: Array, truth: Array) -> PrecisionRecall:
        """`values` (n,) against `truth` (n,) bool; both kinds must occur, else ValueError."""
        ranking = Ranking(values)
        return PrecisionRecall(ranking.ordered, np.sort(values[truth]), ranking.detection(truth))

    def above(self, thresholds: Array | float) -> tuple[Array, Array]:
        """Precision and recall of the pixels above each threshold; precision 1 where there are none."""
        hits, marked = self._counts(thresholds)
        return np.where(marked, hits / np.maximum(marked, 1), 1.0), hits / len(self.positives)

    def dice(self, threshold: float) -> float:
        """Dice of the pixels above a threshold with the anomalous ones."""
        hits, marked = self._counts(threshold)
        return float(2 * hits / (marked + len(self.positives)))

    def _counts(self, thresholds: Array | float) -> tuple[Array, Array]:
        """How many anomalous pixels, and how many of all, lie above each threshold."""
        hits, marked = (len(held) - np.searchsorted(held, thresholds, "right") for held in (self.positives, self.values))
        return hits, marked

    def thresholds(self, most: int = 40) -> Array:
        """(T,) rising, T ≤ `most` + 1: just below the lowest value of all, and positives' values at even steps of recall."""
        rows = np.unique(np.linspace(0, len(self.positives) - 1, most).round().astype(int))
        found = np.unique([self.values[0], *self.positives[rows]]).astype(self.values.dtype)
        return np.nextafter(found, found.dtype.type(-np.inf)).astype(float)


def precision_recall(abnormality: Array, truth: Array, slices: Slices) -> PrecisionRecall | None:
    """A map's abnormality against `truth`, both (N, H, W), over the brain of the images that hold a part of the truth.

    None where they hold none of it, or nothing else.

    >>> slices = Slices(np.zeros((1, 1, 4)), np.ones((1, 1, 4), bool), np.zeros(1, int))
    >>> found = precision_recall(np.array([[[1.0, 2.0, 3.0, 4.0]]]), np.array([[[False, True, False, True]]]), slices)
    >>> precision, recall = found.above(np.array([0.0, 2.5, 9.0]))
    >>> precision.tolist(), recall.tolist()
    ([0.5, 0.5, 1.0], [1.0, 0.5, 0.0])
    """
    held = truth.any(axis=(1, 2))
    brain = slices.mask[held]
    values, hit = abnormality[held][brain], truth[held][brain]
    if not hit.any() or hit.all():
        return None
    return PrecisionRecall.of(values, hit)
