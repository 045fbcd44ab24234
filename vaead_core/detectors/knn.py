"""Distance to a near healthy latent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pyod.models.knn import KNN

from vaead_core.detectors import Detector, register
from vaead_core.detectors.pyod_model import FittedPyod, fitted
from vaead_core.detectors.rows import healthy_rows
from vaead_core.scans.volume import Array


@register("knn")
@dataclass(frozen=True)
class NearestNeighbours(Detector):
    """Distance to the k-th nearest healthy latent (Ramaswamy et al. 2000)."""

    neighbours: int = 5
    title: ClassVar[str] = "KNN"

    def fit(self, rows: Array) -> FittedPyod:
        return fitted(KNN(n_neighbors=self.neighbours), healthy_rows(rows, self.neighbours + 1, self.title))
