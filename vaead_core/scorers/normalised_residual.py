"""Residual measured in healthy deviations at the same place of the atlas."""

from dataclasses import dataclass
from typing import ClassVar

from vaead_core.model import Model
from vaead_core.scorers import masked_to_brain, register
from vaead_core.scorers.residual import absolute_residual
from vaead_core.volume import Array, Slices


@register("normalised_residual")
@dataclass(frozen=True)
class NormalisedResidual:
    """(|x − x̂| − mean) / deviation of the residual of held-out healthy brains at the same atlas position: a residual
    counts only as far as it is unusual there."""

    title: ClassVar[str] = "Normalised residual"
    unit: ClassVar[str] = "healthy deviations"

    def score_map(self, model: Model, slices: Slices) -> Array:
        residual = model.map(slices, absolute_residual)
        return masked_to_brain(model.reference["residual"].z(residual, slices), slices)
