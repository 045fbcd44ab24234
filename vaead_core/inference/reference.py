"""What is normal at each place of the atlas: mean and deviation over healthy brains, smoothed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from vaead_core.scans.volume import Array, Slices

SMOOTHING_PIXELS = 1.0
FLOOR_SHARE = 0.1  # of the median deviation: the smallest deviation a place may have


@dataclass(frozen=True)
class PlaceStatistics:
    """mean, deviation: (K, H, W) float32 over healthy brains, at each axial position and pixel; where `every` is more than 1,
    at every second (third, …) slice, row and column, and linear between them: on a fine grid they are smooth."""

    mean: Array
    deviation: Array
    every: int = 1

    def z(self, values: Array, slices: Slices) -> Array:
        """(values − mean) / deviation at each image's position, (N, H, W), unmasked."""
        return (values - self.mean_of(slices)) / self._of(self.deviation, slices)

    def mean_of(self, slices: Slices) -> Array:
        """(N, H, W) mean at each image's position."""
        return self._of(self.mean, slices)

    def covers(self, depth: int, side: int) -> bool:
        """Whether it is that of `depth` slices of `side` × `side` pixels."""
        expected = tuple(-(-size // self.every) for size in (depth, side, side)) if self.every > 0 else ()
        return self.mean.shape == self.deviation.shape == expected

    def _of(self, places: Array, slices: Slices) -> Array:
        if self.every == 1:
            return places[np.clip(slices.position, 0, len(places) - 1)]
        found = _between(places, slices.position / self.every, 0)
        for axis, size in enumerate(slices.pixels.shape[1:], 1):
            found = _between(found, np.arange(size) / self.every, axis)
        return found

    @staticmethod
    def of(values: Array, slices: Slices, depth: int, every: int = 1) -> PlaceStatistics:
        """Statistics of `values` (N, H, W) over the images of healthy brains, each pixel counted where it is brain.

        Mean and mean square are smoothed by a Gaussian of `every` pixels and slices (few brains: noisy estimates);
        the deviation has a floor of a tenth of its median.
        """
        shape = (depth, *values.shape[1:])
        count, total, square = (np.zeros(shape, np.float32) for _ in range(3))
        np.add.at(count, slices.position, slices.mask.astype(np.float32))
        np.add.at(total, slices.position, values * slices.mask)
        np.add.at(square, slices.position, np.square(values) * slices.mask)
        width = every * SMOOTHING_PIXELS
        widths = (width if depth > 1 else 0, width, width)
        count, total, square = (
            ndimage.gaussian_filter(part, widths)[::every, ::every, ::every] for part in (count, total, square)
        )
        weight = np.maximum(count, 1e-3)
        mean = total / weight
        deviation = np.sqrt(np.maximum(square / weight - mean**2, 0))
        known = count > 0.5
        usual = float(np.median(deviation[known])) if known.any() else 1.0
        usual = max(usual, 1e-6)
        deviation = np.where(known, np.maximum(deviation, FLOOR_SHARE * usual), usual)
        return PlaceStatistics(mean.astype(np.float32), deviation.astype(np.float32), every)


def _between(values: Array, at: Array, axis: int) -> Array:
    """`values` along an axis, linear between its places and constant beyond them, at (n,) places counted from its first."""
    at = np.clip(at, 0, values.shape[axis] - 1).astype(np.float32)
    low = at.astype(int)
    high = np.minimum(low + 1, values.shape[axis] - 1)
    share = (at - low).reshape([-1 if one == axis else 1 for one in range(values.ndim)])
    return values.take(low, axis) * (1 - share) + values.take(high, axis) * share


@dataclass(frozen=True)
class Reference:
    """Statistics by quantity, as scorers name them: `intensity`, `residual`, `activation1`, …"""

    places: dict[str, PlaceStatistics]

    def __getitem__(self, quantity: str) -> PlaceStatistics:
        return self.places[quantity]
