"""How few random cuts set a row apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pyod.models.iforest import IForest

from vaead_core.detectors import Detector, register
from vaead_core.detectors.pyod_model import FittedPyod, fitted
from vaead_core.detectors.rows import healthy_rows
from vaead_core.scans.volume import Array


@register("iforest")
@dataclass(frozen=True)
class IsolationForest(Detector):
    """How few random cuts, one latent at a time, set the row apart from healthy ones, over `trees` trees (isolation
    forest; Liu et al. 2008).
    """

    trees: int = 100
    seed: int = 0
    title: ClassVar[str] = "IForest"

    def fit(self, rows: Array) -> FittedPyod:
        return fitted(IForest(n_estimators=self.trees, random_state=self.seed), healthy_rows(rows, 2, self.title))
