"""Residual of a network that was trained to restore healthy brains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vaead_core.inference.model import Model
from vaead_core.measures.smoothing import gaussian
from vaead_core.scans.volume import Array, Slices
from vaead_core.scorers import MapScorer, Needs, PixelScorer, masked_to_brain, register
from vaead_core.scorers.wrappers import Calibrated, mirrored

NETWORK, PLANES = "restorer", 4
SEVERITIES = (0.25, 0.5, 0.75, 1.0)  # that the network is told of a scan, which may hold any


def planes(slices: Slices, severity: Array) -> Array:
    """(N, PLANES, H, W) float32, all 0 outside the brain: the image, its mirror image, the brain, severity (N,) in [0, 1]."""
    image = slices.pixels * slices.mask
    return np.stack([image, mirrored(image), slices.mask, severity[:, None, None] * slices.mask], 1).astype(np.float32)


@dataclass(frozen=True)
class _Residual(PixelScorer):
    """Mean over SEVERITIES of |x − f(x, severity)|, f the restorer."""

    def score_map(self, model: Model, slices: Slices) -> Array:
        def at_every_severity() -> Array:
            told = (np.full(len(slices), severity, np.float32) for severity in SEVERITIES)
            return np.concatenate([planes(slices, one) for one in told])

        changes = model.companion_map(NETWORK, slices, at_every_severity)
        found = np.abs(changes).reshape(len(SEVERITIES), *slices.pixels.shape).mean(0)
        return masked_to_brain(found, slices)


_CALIBRATED = Calibrated(_Residual(), "restored")


@register("restored_residual")
@dataclass(frozen=True)
class RestoredResidual(MapScorer):
    """(|x − f(x)| − mean) / deviation at the same atlas position, f a U-Net trained to take synthetic anomalies of graded
    severity back out of healthy brains, that sees the mirror image and is told the severity; |x − f(x)| is the mean over
    severities, then smoothed a little within the brain (after Naval Marimont et al. 2023, there along a path of diffusion)."""

    pixels: float = 1.0
    title: ClassVar[str] = "Restored residual"
    unit: ClassVar[str] = "healthy deviations"
    trust: ClassVar[str] = (
        "Trust it little: after 40 epochs it finds far fewer painted lesions than the voxel atlas, so its network ships with "
        "no checkpoint."
    )
    needs: ClassVar[Needs] = Needs(companion=NETWORK, calibrated=(_CALIBRATED,))

    def score_map(self, model: Model, slices: Slices) -> Array:
        return gaussian(_CALIBRATED.score_map(model, slices), slices.mask, self.pixels)
