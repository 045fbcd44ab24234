"""Residual measured in healthy deviations at the same place of the atlas."""

from dataclasses import dataclass
from typing import ClassVar

from vaead_core.model import Model
from vaead_core.scorers import register
from vaead_core.scorers.residual import Residual
from vaead_core.scorers.wrappers import Calibrated
from vaead_core.volume import Array, Slices

_CALIBRATED = Calibrated(Residual(masked=False), "residual")


@register("normalised_residual")
@dataclass(frozen=True)
class NormalisedResidual:
    """(|x − x̂| − mean) / deviation of the residual of held-out healthy brains at the same atlas position: a residual
    counts only as far as it is unusual there."""

    title: ClassVar[str] = "Normalised residual"
    unit: ClassVar[str] = "healthy deviations"
    calibrated: ClassVar[tuple[Calibrated, ...]] = (_CALIBRATED,)

    def score_map(self, model: Model, slices: Slices) -> Array:
        return _CALIBRATED.score_map(model, slices)
