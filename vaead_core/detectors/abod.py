"""The spread of the angles under which a row sees its neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from sklearn.neighbors import NearestNeighbors

from vaead_core.detectors import Detector, register
from vaead_core.detectors.rows import as_scores, healthy_rows, query_rows
from vaead_core.errors import InputError
from vaead_core.scans.volume import Array


@dataclass(frozen=True)
class FittedAngles:
    healthy: Array
    search: NearestNeighbors

    def score(self, rows: Array) -> Array:
        query = query_rows(rows)
        neighbours = self.search.kneighbors(query, return_distance=False)
        towards = self.healthy[neighbours] - query[:, None]  # M, k, L
        square = np.square(towards).sum(2)
        first, second = np.triu_indices(neighbours.shape[1], 1)
        product = np.einsum("mkl,mjl->mkj", towards, towards)[:, first, second]
        lengths = square[:, first] * square[:, second]
        seen = lengths > 0  # a neighbour at the row itself has no direction
        angles = np.divide(product, lengths, out=np.zeros_like(product), where=seen)
        return as_scores(-np.var(angles, axis=1, where=seen))


@register("abod")
@dataclass(frozen=True)
class AngleBased(Detector):
    """How little the angles to pairs of its nearest healthy latents vary, each weighted by the pair's distances: seen
    from an outlier, all lie in one direction (fast ABOD; Kriegel et al. 2008).

    The same values as PyOD's `ABOD(method="fast")`, without its seconds of compilation; equal latents count once.
    """

    neighbours: int = 5
    title: ClassVar[str] = "ABOD"

    def fit(self, rows: Array) -> FittedAngles:
        if self.neighbours < 4:
            raise InputError(f"ABOD needs at least 4 neighbours to compare angles, not {self.neighbours}.")
        healthy = healthy_rows(np.unique(rows, axis=0), self.neighbours, self.title)
        return FittedAngles(healthy, NearestNeighbors(n_neighbors=self.neighbours).fit(healthy))
