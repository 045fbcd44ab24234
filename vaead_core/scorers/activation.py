"""Activation maps of the encoder."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from vaead_core.model import Model
from vaead_core.scorers import masked_to_brain, register
from vaead_core.volume import Array, Slices


@register("activation")
@dataclass(frozen=True)
class ActivationMap:
    """Mean over channels of an encoder stage, stretched over the image: where the encoder responds most
    (Silva-Rodríguez et al. 2022; thesis, 2.3). There is no gradient weighting in it."""

    stage: Literal[1, 2, 3, 4] = 1
    masked: bool = True
    title: ClassVar[str] = "Activation map"
    unit: ClassVar[str] = "activation"

    def score_map(self, model: Model, slices: Slices) -> Array:
        return masked_to_brain(model.map(slices, lambda view: view.activation(self.stage)), slices, self.masked)


@register("zscored_activation")
@dataclass(frozen=True)
class ZScoredActivationMap:
    """Activation map in healthy deviations at the same atlas position: a response counts as far as it is unusual there,
    stronger (positive) or weaker (negative) than in healthy brains."""

    stage: Literal[1, 2, 3, 4] = 1
    title: ClassVar[str] = "Activation map, z-scored"
    unit: ClassVar[str] = "healthy deviations"
    signed: ClassVar[bool] = True

    def score_map(self, model: Model, slices: Slices) -> Array:
        maps = model.map(slices, lambda view: view.activation(self.stage))
        return masked_to_brain(model.reference[f"activation{self.stage}"].z(maps, slices), slices)
