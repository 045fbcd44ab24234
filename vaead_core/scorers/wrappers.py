"""Map scorers made of other map scorers: measured against healthy brains at each place, left against right. They compose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vaead_core.inference.model import Model
from vaead_core.measures.smoothing import gaussian
from vaead_core.scans.volume import Array, Slices
from vaead_core.scorers.maps import PixelScorer, masked_to_brain

MIDLINE_PIXELS = 0.5  # right of the middle of a slice: where SRI24 is most like its mirror image, at 1 mm and at 2 mm


@dataclass(frozen=True)
class Intensity(PixelScorer):
    """The image itself, for wrappers."""

    def score_map(self, model: Model, slices: Slices) -> Array:
        return slices.pixels

    @property
    def uses_network(self) -> bool:
        return False


@dataclass(frozen=True)
class Calibrated(PixelScorer):
    """(map − mean) / deviation of the map of healthy brains at the same atlas position; 0 outside the brain.

    base: any map scorer. quantity: its name among the places of the model's reference.
    """

    base: PixelScorer
    quantity: str

    def score_map(self, model: Model, slices: Slices) -> Array:
        values = self.base.score_map(model, slices)
        return masked_to_brain(model.reference[self.quantity].z(values, slices), slices)


@dataclass(frozen=True)
class LeftAgainstRight(PixelScorer):
    """A map smoothed within the brain, minus its mirror image across the atlas's midline; 0 where that is not brain.

    base: any map scorer. voxels: deviation of the Gaussian, in pixels of the slice.
    """

    base: PixelScorer
    voxels: float

    @property
    def uses_network(self) -> bool:
        return self.base.uses_network

    def score_map(self, model: Model, slices: Slices) -> Array:
        smooth = gaussian(self.base.score_map(model, slices), slices.mask, self.voxels)
        paired = slices.mask & mirrored(slices.mask)
        return np.where(paired, smooth - mirrored(smooth), 0).astype(np.float32)


def mirrored(images: Array) -> Array:
    """(N, H, W): left and right exchanged about the midline; 0 where there is nothing to exchange."""
    shift = round(2 * MIDLINE_PIXELS)
    found = np.zeros_like(images)
    found[..., shift:] = images[..., ::-1][..., : images.shape[-1] - shift]
    return found
