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
    """mean, deviation: (K, H, W) float32 over healthy brains at each axial position and pixel."""

    mean: Array
    deviation: Array

    def z(self, values: Array, slices: Slices) -> Array:
        """(values − mean) / deviation at each image's position, (N, H, W), unmasked."""
        at = np.clip(slices.position, 0, len(self.mean) - 1)
        return (values - self.mean[at]) / self.deviation[at]

    @staticmethod
    def of(values: Array, slices: Slices, depth: int) -> PlaceStatistics:
        """Statistics of `values` (N, H, W) over the images of healthy brains, each pixel counted where it is brain.

        Mean and mean square are smoothed by a Gaussian of one pixel and one slice (few brains: noisy estimates);
        the deviation has a floor of a tenth of its median.
        """
        shape = (depth, *values.shape[1:])
        count, total, square = (np.zeros(shape, np.float32) for _ in range(3))
        np.add.at(count, slices.position, slices.mask.astype(np.float32))
        np.add.at(total, slices.position, values * slices.mask)
        np.add.at(square, slices.position, np.square(values) * slices.mask)
        width = (SMOOTHING_PIXELS if depth > 1 else 0, SMOOTHING_PIXELS, SMOOTHING_PIXELS)
        count, total, square = (ndimage.gaussian_filter(part, width) for part in (count, total, square))
        weight = np.maximum(count, 1e-3)
        mean = total / weight
        deviation = np.sqrt(np.maximum(square / weight - mean**2, 0))
        known = count > 0.5
        usual = float(np.median(deviation[known])) if known.any() else 1.0
        usual = max(usual, 1e-6)
        deviation = np.where(known, np.maximum(deviation, FLOOR_SHARE * usual), usual)
        return PlaceStatistics(mean.astype(np.float32), deviation.astype(np.float32))


@dataclass(frozen=True)
class Reference:
    """Statistics by quantity, as scorers name them: `intensity`, `residual`, `activation1`, …"""

    places: dict[str, PlaceStatistics]

    def __getitem__(self, quantity: str) -> PlaceStatistics:
        return self.places[quantity]
