"""Of several LOF, the one that is best where the row lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors

from vaead_core.detectors import Detector, register
from vaead_core.detectors.rows import as_scores, healthy_rows, query_rows
from vaead_core.scans.volume import Array

AGREEMENT_DIGITS = 9  # what differs by less is rounding, which no histogram can divide


@dataclass(frozen=True)
class FittedEnsemble:
    """subspaces: the latents that each of the neighbour searches sees. healthy: (N, D) standardised scores of D members.

    mean, deviation: (D,) of the members' own scores.
    """

    members: list[LocalOutlierFactor]
    subspaces: list[Array]
    searches: list[NearestNeighbors]
    healthy: Array
    mean: Array
    deviation: Array

    def score(self, rows: Array) -> Array:
        query = query_rows(rows)
        opinions = (np.stack([-member.score_samples(query) for member in self.members], 1) - self.mean) / self.deviation
        votes = np.zeros((len(query), len(self.healthy)), np.uint16)
        for subspace, search in zip(self.subspaces, self.searches, strict=True):
            near = search.kneighbors(query[:, subspace], return_distance=False)
            votes[np.arange(len(query))[:, None], near] += 1
        return as_scores(np.array([own[self._competent(seen)].mean() for own, seen in zip(opinions, votes, strict=True)]))

    def _competent(self, votes: Array) -> Array:
        """Indices of the members that agree best with the ensemble's maximum around one row; votes: (N,)."""
        second = np.partition(votes, -2)[-2]
        region = self.healthy[votes > min(len(self.subspaces) // 2, int(second) - 1)]
        agreement = np.nan_to_num(correlations(region, region.max(1))).round(AGREEMENT_DIGITS)
        count, edges = np.histogram(agreement, bins=len(agreement))
        fullest = np.flatnonzero(count == count.max())
        return np.concatenate([np.flatnonzero((agreement >= edges[b]) & (agreement <= edges[b + 1])) for b in fullest])


@register("lscp")
@dataclass(frozen=True)
class LocallySelected(Detector):
    """LOF with several numbers of neighbours; for each row the ones count that agree best with the ensemble's maximum on
    the healthy latents around it (LSCP; Zhao et al. 2019).

    The surroundings are the `region` nearest healthy latents in most of `subspaces` random subsets of the latents, drawn
    once by `seed`; PyOD draws anew at each call and searches by trees, slow in many dimensions. Same selection otherwise.
    """

    neighbours: tuple[int, ...] = (10, 20, 30, 40, 50)
    region: int = 30
    subspaces: int = 20
    seed: int = 0
    title: ClassVar[str] = "LSCP"

    def fit(self, rows: Array) -> FittedEnsemble:
        healthy = healthy_rows(rows, max(*self.neighbours, self.region) + 1, self.title)
        members = [LocalOutlierFactor(n_neighbors=k, novelty=True).fit(healthy) for k in self.neighbours]
        own = np.stack([-member.negative_outlier_factor_ for member in members], 1)
        mean, deviation = own.mean(0), own.std(0)
        deviation[deviation == 0] = 1
        subspaces = random_subspaces(healthy.shape[1], self.subspaces, np.random.default_rng(self.seed))
        searches = [NearestNeighbors(n_neighbors=self.region).fit(healthy[:, subspace]) for subspace in subspaces]
        return FittedEnsemble(members, subspaces, searches, (own - mean) / deviation, mean, deviation)


def random_subspaces(latents: int, count: int, rng: np.random.Generator) -> list[Array]:
    """`count` subsets of half to all of the latents, as indices."""
    sizes = rng.integers(max(1, latents // 2), max(2, latents), count)
    return [rng.choice(latents, size, replace=False) for size in sizes]


def correlations(columns: Array, target: Array) -> Array:
    """Pearson's r of every column (n, D) with target (n,); NaN where one is constant."""
    columns, target = columns - columns.mean(0), target - target.mean()
    with np.errstate(invalid="ignore", divide="ignore"):
        return target @ columns / np.sqrt(np.square(columns).sum(0) * np.square(target).sum())
