"""Activation maps of the encoder."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from vaead_core.inference.model import Model
from vaead_core.scans.volume import Array, Slices
from vaead_core.scorers import BELOW_THE_ATLAS, MapScorer, Needs, masked_to_brain, register
from vaead_core.scorers.wrappers import Calibrated

Stage = Literal[1, 2, 3, 4]
STAGES: tuple[Stage, ...] = (1, 2, 3, 4)


@register("activation")
@dataclass(frozen=True)
class ActivationMap(MapScorer):
    """Mean over channels of an encoder stage, stretched over the image: where the encoder responds most
    (Silva-Rodríguez et al. 2022; thesis, 2.3). There is no gradient weighting in it."""

    stage: Stage = 1
    masked: bool = True
    title: ClassVar[str] = "Activation map"
    unit: ClassVar[str] = "activation"
    trust: ClassVar[str] = BELOW_THE_ATLAS

    def score_map(self, model: Model, slices: Slices) -> Array:
        return masked_to_brain(model.map(slices, lambda view: view.activation(self.stage)), slices, self.masked)


def _calibrated(stage: Stage) -> Calibrated:
    return Calibrated(ActivationMap(stage, masked=False), f"activation{stage}")


@register("zscored_activation")
@dataclass(frozen=True)
class ZScoredActivationMap(MapScorer):
    """Activation map in healthy deviations at the same atlas position: a response counts as far as it is unusual there,
    stronger (positive) or weaker (negative) than in healthy brains."""

    stage: Stage = 1
    title: ClassVar[str] = "Activation map, z-scored"
    unit: ClassVar[str] = "healthy deviations"
    trust: ClassVar[str] = BELOW_THE_ATLAS
    signed: ClassVar[bool] = True
    needs: ClassVar[Needs] = Needs(calibrated=tuple(map(_calibrated, STAGES)))

    def score_map(self, model: Model, slices: Slices) -> Array:
        return _calibrated(self.stage).score_map(model, slices)
