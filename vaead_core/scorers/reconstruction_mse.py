"""Mean squared reconstruction error of an image (the thesis's detection score)."""

from dataclasses import dataclass
from typing import ClassVar

from vaead_core.model import Model
from vaead_core.scorers import register
from vaead_core.volume import Array, Slices


@register("reconstruction_mse")
@dataclass(frozen=True)
class ReconstructionMSE:
    """Mean of (x − x̂)² over the brain: how badly the network redraws the image (thesis, section 2.3)."""

    masked: bool = True
    title: ClassVar[str] = "Reconstruction error"
    unit: ClassVar[str] = "squared intensity"

    def score(self, model: Model, slices: Slices) -> Array:
        def error(view):
            weight = view.mask if self.masked else view.mask | True
            square = (view.images - view.reconstruction) ** 2 * weight
            return square.sum((1, 2)) / weight.sum((1, 2)).clip(min=1)

        return model.value(slices, error)
