"""Where the latent's divergence from the prior comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vaead_core.inference.model import Model
from vaead_core.measures.smoothing import gaussian
from vaead_core.scans.volume import Array, Slices
from vaead_core.scorers import BELOW_THE_ATLAS, MapScorer, Needs, masked_to_brain, register

PIXELS = 1.5  # deviation of the Gaussian: a gradient is as grainy as the network's strides


def _smooth_gradient(model: Model, slices: Slices) -> Array:
    gradient = np.abs(model.map(slices, lambda view: model.vae.kl_gradient(view.images)))
    return gaussian(gradient, slices.mask, PIXELS)


@register("kl_gradient")
@dataclass(frozen=True)
class KLGradient(MapScorer):
    """|∂KL/∂x|, smoothed: the pixels that would bring the latent nearer to the healthy prior if they changed (Zimmerer et
    al. 2019)."""

    title: ClassVar[str] = "KL gradient"
    unit: ClassVar[str] = "nats per intensity"
    trust: ClassVar[str] = BELOW_THE_ATLAS
    needs: ClassVar[Needs] = Needs(gradient=True)

    def score_map(self, model: Model, slices: Slices) -> Array:
        return _smooth_gradient(model, slices)


@register("kl_gradient_residual")
@dataclass(frozen=True)
class KLGradientResidual(MapScorer):
    """The smoothed |∂KL/∂x| times the residual |x − x̂|: badly redrawn where the latent is unusual too (Zimmerer et al.
    2019)."""

    title: ClassVar[str] = "KL gradient × residual"
    unit: ClassVar[str] = "nats"
    trust: ClassVar[str] = BELOW_THE_ATLAS
    needs: ClassVar[Needs] = Needs(gradient=True)

    def score_map(self, model: Model, slices: Slices) -> Array:
        residual = np.abs(slices.pixels - model.map(slices, lambda view: view.reconstruction))
        return masked_to_brain(_smooth_gradient(model, slices) * residual, slices)
