"""Residual measured in healthy deviations at the same place of the atlas, as it is and smoothed."""

from dataclasses import dataclass
from typing import ClassVar

from vaead_core.inference.model import Model
from vaead_core.measures.smoothing import gaussian
from vaead_core.scans.volume import Array, Slices
from vaead_core.scorers import MapScorer, Needs, register
from vaead_core.scorers.residual import Residual
from vaead_core.scorers.wrappers import Calibrated

_CALIBRATED = Calibrated(Residual(masked=False), "residual")


@register("normalised_residual")
@dataclass(frozen=True)
class NormalisedResidual(MapScorer):
    """(|x − x̂| − mean) / deviation of the residual of held-out healthy brains at the same atlas position: a residual
    counts only as far as it is unusual there."""

    title: ClassVar[str] = "Normalised residual"
    unit: ClassVar[str] = "healthy deviations"
    trust: ClassVar[str] = "Trust it for small lesions of a clear intensity; a single pixel above a threshold is grain."
    needs: ClassVar[Needs] = Needs(calibrated=(_CALIBRATED,))

    def score_map(self, model: Model, slices: Slices) -> Array:
        return _CALIBRATED.score_map(model, slices)


@register("smoothed_residual")
@dataclass(frozen=True)
class SmoothedResidual(MapScorer):
    """The normalised residual smoothed within the brain: lesions are larger than the grain of a residual, so what is unusual
    over some millimetres counts, and a single pixel does not."""

    pixels: float = 2.0
    title: ClassVar[str] = "Normalised residual, smoothed"
    unit: ClassVar[str] = "healthy deviations"
    trust: ClassVar[str] = "Trust it for lesions of a centimetre or more; those of a few millimetres are smoothed away."
    needs: ClassVar[Needs] = Needs(calibrated=(_CALIBRATED,))

    def score_map(self, model: Model, slices: Slices) -> Array:
        return gaussian(_CALIBRATED.score_map(model, slices), slices.mask, self.pixels)
