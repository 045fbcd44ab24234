"""What has to change in a scan for it to become a likely healthy one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vaead_core.inference.model import Model, View
from vaead_core.inference.vae import OnnxVAE
from vaead_core.scans.volume import Array, Slices
from vaead_core.scorers import BELOW_THE_ATLAS, MapScorer, Needs, masked_to_brain, register

STEPS, STEP = 5, 0.2
VARIANCE = 0.1  # of a pixel about its reconstruction, of intensities in [-1, 1]; it weighs ∂KL/∂x against the residual
TOTAL_VARIATION, ROUNDED = 0.02, 0.01  # its weight; differences below ROUNDED count as their square


@register("restoration")
@dataclass(frozen=True)
class Restoration(MapScorer):
    """|x − z|, z what steps up the ELBO's gradient make of the scan x while the total variation of what they change stays
    small (Chen et al. 2020). The gradient takes the reconstruction x̂(z) as given: (x̂ − z) − σ² ∂KL/∂z."""

    title: ClassVar[str] = "Restoration"
    unit: ClassVar[str] = "intensity"
    trust: ClassVar[str] = BELOW_THE_ATLAS
    needs: ClassVar[Needs] = Needs(gradient=True, images="slices")

    def score_map(self, model: Model, slices: Slices) -> Array:
        return masked_to_brain(np.abs(model.map(slices, lambda view: restored(model.vae, view) - view.images)), slices)


def restored(vae: OnnxVAE, view: View) -> Array:
    """(N, H, W): the images of `view` after STEPS."""
    images, reconstruction = view.images.copy(), view.reconstruction
    for step in range(STEPS):
        if step:
            reconstruction = vae.decode(vae.encode(images, stages=())[0].mean)
        towards_healthy = reconstruction - images - VARIANCE * vae.kl_gradient(images)
        images += STEP * (towards_healthy - TOTAL_VARIATION * _variation_gradient(images - view.images))
    return images


def _variation_gradient(change: Array) -> Array:
    """Of the sum over pixels of √(|∇change|² + ROUNDED²), (N, H, W)."""
    down = np.diff(change, axis=1, append=change[:, -1:])
    right = np.diff(change, axis=2, append=change[:, :, -1:])
    length = np.sqrt(down**2 + right**2 + ROUNDED**2)
    down, right = down / length, right / length
    gradient = -down - right
    gradient[:, 1:] += down[:, :-1]
    gradient[:, :, 1:] += right[:, :, :-1]
    return gradient
