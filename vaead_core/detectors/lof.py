"""Local density against that of the neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pyod.models.lof import LOF

from vaead_core.detectors import Detector, register
from vaead_core.detectors.pyod_model import FittedPyod, fitted
from vaead_core.detectors.rows import healthy_rows
from vaead_core.scans.volume import Array


@register("lof")
@dataclass(frozen=True)
class LocalOutlierFactor(Detector):
    """How much sparser the healthy latents are around a row than around its nearest ones; about 1 is normal (LOF;
    Breunig et al. 2000).
    """

    neighbours: int = 20
    title: ClassVar[str] = "LOF"

    def fit(self, rows: Array) -> FittedPyod:
        return fitted(LOF(n_neighbors=self.neighbours, novelty=True), healthy_rows(rows, self.neighbours + 1, self.title))
