"""Reconstruction error of whole patches, as a coarse map."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vaead_core.inference.model import Model, View
from vaead_core.scans.volume import Array, Slices
from vaead_core.scorers import MapScorer, Needs, masked_to_brain, register
from vaead_core.scorers.reconstruction_mse import mean_squared_error


@register("patch_error")
@dataclass(frozen=True)
class PatchError(MapScorer):
    """Mean of (x − x̂)² over the brain of each patch, given to all its pixels: a coarse map, one step a patch (thesis,
    section 4.2.2). A pixel has the mean of the patches that cover it."""

    title: ClassVar[str] = "Patch reconstruction error"
    unit: ClassVar[str] = "squared intensity"
    trust: ClassVar[str] = "It tells in which part of a brain to look, not where a lesion ends."
    needs: ClassVar[Needs] = Needs(images="patches")

    def score_map(self, model: Model, slices: Slices) -> Array:
        return masked_to_brain(model.map(slices, _spread_error), slices)


def _spread_error(view: View) -> Array:
    """(N, H, W): each input's mean squared error in the brain, at all its pixels."""
    return np.broadcast_to(mean_squared_error(view, view.mask)[:, None, None], view.images.shape)
