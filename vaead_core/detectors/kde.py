"""Density by a Gaussian on every healthy latent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import logsumexp
from sklearn.decomposition import PCA

from vaead_core.detectors import Detector, register
from vaead_core.detectors.rows import as_scores, healthy_rows, query_rows, sampled
from vaead_core.scans.volume import Array

BANDWIDTHS = np.geomspace(0.1, 10, 25)


@dataclass(frozen=True)
class FittedDensity:
    """centres: (n, K) healthy latents as principal components of standardised ones."""

    mean: Array
    deviation: Array
    projection: PCA
    centres: Array
    bandwidth: float

    def score(self, rows: Array) -> Array:
        points = self.projection.transform((query_rows(rows) - self.mean) / self.deviation)
        return as_scores(-log_density(points, self.centres, self.bandwidth))


@register("kde")
@dataclass(frozen=True)
class KernelDensity(Detector):
    """−log of the healthy density, a Gaussian of one `bandwidth` on each healthy latent (Parzen 1962; Latecki et al. 2007).

    Latents are standardised, reduced to `components` principal components (all, if there are fewer) and to `rows` of them,
    drawn by `seed`.
    bandwidth: in standard deviations; None takes the one of 25 between 0.1 and 10 that makes a fifth of the rows, held
    out, most likely. components: few are quick, but a latent that leaves the healthy plane is then not seen. The sum over
    Gaussians is exact; the tree that PyOD asks is off by several nats far from the healthy latents.
    """

    bandwidth: float | None = None
    components: int = 128
    rows: int = 1000
    seed: int = 0
    title: ClassVar[str] = "KDE"

    def fit(self, rows: Array) -> FittedDensity:
        healthy = healthy_rows(rows, 10, self.title)
        mean, deviation = healthy.mean(0), healthy.std(0)
        deviation[deviation == 0] = 1
        projection = PCA(min(self.components, *healthy.shape), svd_solver="full").fit((healthy - mean) / deviation)
        centres = sampled(projection.transform((healthy - mean) / deviation), self.rows, self.seed)
        bandwidth = likeliest_bandwidth(centres, self.seed) if self.bandwidth is None else self.bandwidth
        return FittedDensity(mean, deviation, projection, centres, bandwidth)


def log_density(points: Array, centres: Array, bandwidth: float) -> Array:
    """log of the mean Gaussian of `centres` (n, K) at `points` (M, K), (M,) nats."""
    constant = np.log(len(centres)) + centres.shape[1] * np.log(bandwidth * np.sqrt(2 * np.pi))
    return logsumexp(-cdist(points, centres, "sqeuclidean") / (2 * bandwidth**2), axis=1) - constant


def likeliest_bandwidth(points: Array, seed: int) -> float:
    """The one of BANDWIDTHS with the highest mean log density of a held-out fifth of `points`."""
    order = np.random.default_rng(seed).permutation(len(points))
    held, kept = points[order[: len(points) // 5]], points[order[len(points) // 5 :]]
    return float(max(BANDWIDTHS, key=lambda width: log_density(held, kept, width).mean()))
