"""Residual of a network that was trained to take noise away."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vaead_core.inference.model import Model
from vaead_core.measures.smoothing import gaussian
from vaead_core.scans.volume import Array, Slices
from vaead_core.scorers import MapScorer, Needs, PixelScorer, masked_to_brain, register
from vaead_core.scorers.wrappers import Calibrated

NETWORK = "denoiser"


@dataclass(frozen=True)
class _Residual(PixelScorer):
    """|x − f(x)|, f the denoiser."""

    def score_map(self, model: Model, slices: Slices) -> Array:
        image = slices.pixels * slices.mask
        redrawn = model.companion_map(NETWORK, slices, lambda: image[:, None])
        return masked_to_brain(np.abs(image - redrawn), slices)


_CALIBRATED = Calibrated(_Residual(), "denoised")


@register("denoised_residual")
@dataclass(frozen=True)
class DenoisedResidual(MapScorer):
    """(|x − f(x)| − mean) / deviation at the same atlas position, f a U-Net trained to take coarse noise away from healthy
    brains, then smoothed a little within the brain: what it takes away from a scan is unusual (Kascenas et al. 2022, there with
    a median filter)."""

    pixels: float = 1.0
    title: ClassVar[str] = "Denoised residual"
    unit: ClassVar[str] = "healthy deviations"
    trust: ClassVar[str] = (
        "Of single maps it reaches most for painted lesions of the cortex; of a large region that is dark throughout, such as "
        "atrophy, others show more."
    )
    needs: ClassVar[Needs] = Needs(companion=NETWORK, calibrated=(_CALIBRATED,))

    def score_map(self, model: Model, slices: Slices) -> Array:
        return gaussian(_CALIBRATED.score_map(model, slices), slices.mask, self.pixels)
