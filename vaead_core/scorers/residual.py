"""What the reconstruction fails to redraw, pixel by pixel."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vaead_core.inference.model import Model, View
from vaead_core.scans.volume import Array, Slices
from vaead_core.scorers import BELOW_THE_ATLAS, MapScorer, masked_to_brain, register


def absolute_residual(view: View) -> Array:
    """|x − x̂| of every input, (N, H, W)."""
    return np.abs(view.images - view.reconstruction)


@register("residual")
@dataclass(frozen=True)
class Residual(MapScorer):
    """|x − x̂|: what the network, trained on healthy brains alone, does not redraw (Baur et al. 2021; thesis, 2.3).

    masked=False keeps the background, as the thesis did; noise cannot be redrawn, so it is full of false positives.
    """

    masked: bool = True
    title: ClassVar[str] = "Residual"
    unit: ClassVar[str] = "intensity"
    trust: ClassVar[str] = BELOW_THE_ATLAS

    def score_map(self, model: Model, slices: Slices) -> Array:
        return masked_to_brain(model.map(slices, absolute_residual), slices, self.masked)


@register("signed_residual")
@dataclass(frozen=True)
class SignedResidual(MapScorer):
    """x − x̂: brighter than expected is positive, darker is negative."""

    masked: bool = True
    title: ClassVar[str] = "Signed residual"
    unit: ClassVar[str] = "intensity"
    trust: ClassVar[str] = BELOW_THE_ATLAS
    signed: ClassVar[bool] = True

    def score_map(self, model: Model, slices: Slices) -> Array:
        return masked_to_brain(model.map(slices, lambda view: view.images - view.reconstruction), slices, self.masked)
