"""Latents as detectors get them: on one scale, and on fewer axes if asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from sklearn.decomposition import PCA

from vaead_core.detectors.rows import query_rows
from vaead_core.errors import InputError
from vaead_core.scans.volume import Array


@dataclass(frozen=True)
class FittedPreparation:
    """mean, deviation: (P, L) at positions first, first + 1, ... first + P − 1; P = 1 where position does not count."""

    first: int
    mean: Array
    deviation: Array
    projection: PCA | None

    def to_rows(self, latents: Array, position: Array) -> Array:
        """(M, K) float64. A position outside the healthy range is taken for the nearest in it."""
        place = np.clip(np.asarray(position, int) - self.first, 0, len(self.mean) - 1)
        scaled = (query_rows(latents) - self.mean[place]) / self.deviation[place]
        return scaled if self.projection is None else self.projection.transform(scaled)


@dataclass(frozen=True)
class LatentPreparation:
    """How latents are standardised, then reduced.

    standardise: "global" by the healthy mean and deviation; "position" by those around each axial position, for latents of
    neighbouring slices differ more than an anomaly changes them. width_slices: standard deviation of the Gaussian that
    weighs healthy latents by their distance. deviation_floor: a deviation is at least this share of the median one over
    all latents, so that a latent that hardly varies cannot rule the score. components: principal components kept; None
    keeps the latents.
    """

    standardise: Literal["global", "position"] = "global"
    components: int | None = None
    width_slices: float = 2.0
    deviation_floor: float = 0.05

    def fit(self, latents: Array, position: Array) -> FittedPreparation:
        """From healthy latents (N, L) and their positions (N,). Raises InputError for settings that cannot be met."""
        healthy, position = query_rows(latents), np.asarray(position, int)
        if self.standardise not in ("global", "position"):
            raise InputError(f"Latents are standardised globally or by position, not by {self.standardise}.")
        if self.standardise == "position" and not self.width_slices > 0:
            raise InputError(f"The width in slices must be above 0, not {self.width_slices}.")
        if self.components is not None and not 1 <= self.components <= min(healthy.shape):
            raise InputError(f"Of {len(healthy)} latents there are 1 to {min(healthy.shape)} components, not {self.components}.")
        if self.standardise == "global":
            first, mean, deviation = 0, healthy.mean(0)[None], healthy.std(0)[None]
        else:
            first = int(position.min())
            mean, deviation = local_statistics(healthy, position, self.width_slices)
        floor = self.deviation_floor * np.median(healthy.std(0))
        fitted = FittedPreparation(first, mean, np.maximum(deviation, floor if floor > 0 else 1.0), None)
        if self.components is None:
            return fitted
        projection = PCA(self.components, svd_solver="full").fit(fitted.to_rows(healthy, position))
        return FittedPreparation(first, fitted.mean, fitted.deviation, projection)


def local_statistics(latents: Array, position: Array, width_slices: float) -> tuple[Array, Array]:
    """Mean, and deviation from each latent's own local mean, at every position from the first to the last, (P, L) each.

    Weights are Gaussian in the distance; where no latent is near, the nearest ones count.
    """
    places = np.arange(position.min(), position.max() + 1)
    square = np.square((places[:, None] - position) / width_slices)
    weights = np.exp(-0.5 * (square - square.min(1, keepdims=True)))
    weights /= weights.sum(1, keepdims=True)
    mean = weights @ latents
    residual = latents - mean[position - places[0]]
    return mean, np.sqrt(weights @ np.square(residual))
