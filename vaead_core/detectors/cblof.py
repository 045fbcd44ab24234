"""Distance to the centre of a large cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans

from vaead_core.detectors import Detector, register
from vaead_core.detectors.rows import as_scores, healthy_rows, query_rows
from vaead_core.errors import InputError
from vaead_core.scans.volume import Array

ROWS_A_CLUSTER = 5


@dataclass(frozen=True)
class FittedClusters:
    """centres: (K, L). large: (K,) bool."""

    centres: Array
    large: Array

    def score(self, rows: Array) -> Array:
        distance = cdist(query_rows(rows), self.centres)
        own = distance.argmin(1)
        to_large = distance[:, self.large].min(1)
        return as_scores(np.where(self.large[own], distance[np.arange(len(own)), own], to_large))


@register("cblof")
@dataclass(frozen=True)
class ClusterBased(Detector):
    """Distance to the centre of the row's cluster, or of the nearest large one if its own is small (CBLOF; He et al. 2003).

    Clusters are large, from the largest on, until they hold the share `alpha` of the healthy latents and, where there is
    such a place, the next is `beta` times smaller. As PyOD, without its seconds of compilation. Fewer than 10 clusters of
    equal size could hold no share of 0.9 without the last, so `clusters` must be 10 or more; 5 latents a cluster at least.
    """

    clusters: int = 10
    alpha: float = 0.9
    beta: float = 5.0
    seed: int = 0
    title: ClassVar[str] = "CBLOF"

    def fit(self, rows: Array) -> FittedClusters:
        if self.clusters < 10 or not 0 < self.alpha <= 0.9:
            raise InputError(f"CBLOF needs 10 clusters or more and alpha up to 0.9, not {self.clusters} and {self.alpha}.")
        healthy = healthy_rows(rows, ROWS_A_CLUSTER * self.clusters, self.title)
        found = KMeans(self.clusters, random_state=self.seed).fit(healthy)
        sizes = np.bincount(found.labels_, minlength=self.clusters)
        order = np.argsort(-sizes, kind="stable")
        large = np.zeros(self.clusters, bool)
        large[order[: large_clusters(sizes[order], self.alpha, self.beta)]] = True
        return FittedClusters(found.cluster_centers_, large)


def large_clusters(sizes: Array, alpha: float, beta: float) -> int:
    """How many of the clusters, `sizes` (K,) descending, are large. He et al. 2003."""
    enough = np.cumsum(sizes)[:-1] >= alpha * sizes.sum()
    drop = sizes[:-1] >= beta * sizes[1:]
    both = enough & drop
    return int(np.argmax(both if both.any() else enough)) + 1
