"""Mean squared reconstruction error of an image (the thesis's detection score)."""

from dataclasses import dataclass
from typing import ClassVar

from vaead_core.inference.model import Model, View
from vaead_core.scans.volume import Array, Slices
from vaead_core.scorers import AMONG_ITS_PLACE, ImageScorer, register


@register("reconstruction_mse")
@dataclass(frozen=True)
class ReconstructionMSE(ImageScorer):
    """Mean of (x − x̂)² over the brain: how badly the network redraws the image (thesis, section 2.3)."""

    masked: bool = True
    title: ClassVar[str] = "Reconstruction error"
    unit: ClassVar[str] = "squared intensity"
    trust: ClassVar[str] = AMONG_ITS_PLACE

    def score(self, model: Model, slices: Slices) -> Array:
        return model.value(slices, lambda view: mean_squared_error(view, view.mask if self.masked else view.mask | True))


def mean_squared_error(view: View, counted: Array) -> Array:
    """(N,): mean of (x − x̂)² over the `counted` (N, H, W) bool pixels of each input; 0 where none counts."""
    square = (view.images - view.reconstruction) ** 2 * counted
    return square.sum((1, 2)) / counted.sum((1, 2)).clip(min=1)
