"""PyOD's models behind our contract: float64 copies in, float32 out, no state of theirs touched by scoring."""

from __future__ import annotations

from dataclasses import dataclass

from pyod.models.base import BaseDetector

from vaead_core.detectors.rows import as_scores, query_rows
from vaead_core.scans.volume import Array


@dataclass(frozen=True)
class FittedPyod:
    """Scores of a fitted PyOD model whose `decision_function` treats each row by itself."""

    model: BaseDetector

    def score(self, rows: Array) -> Array:
        return as_scores(self.model.decision_function(query_rows(rows)))


def fitted(model: BaseDetector, rows: Array) -> FittedPyod:
    """`model` fitted to (N, L) float64 rows; it keeps them, so they must be a copy."""
    model.fit(rows)
    return FittedPyod(model)
