"""Tissue that is lost."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.random import Generator
from scipy import ndimage

from vaead_core.anomalies.lesions import Lesion, PaintedCase, register
from vaead_core.anomalies.lesions.outlines import blob
from vaead_core.scans import atlas
from vaead_core.scans.volume import Array, Brain

LEAST = 0.1  # of the scale on which the brain's three deviations are 1: a change that counts as lost tissue


@register("atrophy")
@dataclass(frozen=True)
class FocalAtrophy(Lesion):
    """Focal atrophy of cortex: the fluid between its folds widens by `widening_mm` on either side."""

    widening_mm: float = 2.0
    radius_mm: float = 20.0
    title: ClassVar[str] = "Focal atrophy"
    one: ClassVar[str] = "Focal atrophy"
    tissue: ClassVar[str] = "cortex"

    def places(self, brain: Brain, labels: Array) -> Array:
        return (labels == atlas.GREY) & brain.mask

    def paint_at(self, centre: Array, brain: Brain, labels: Array, rng: Generator) -> PaintedCase:
        share = blob(labels.shape, centre, self.radius_mm, brain.spacing_mm, rng)
        size = 2 * max(1, round(self.widening_mm / brain.spacing_mm)) + 1
        widened = ndimage.grey_erosion(np.where(brain.mask, brain.intensity, 1), size=(size,) * 3)
        changed = (brain.intensity + share * (widened - brain.intensity)) * brain.mask
        truth = (share >= 0.5) & (brain.intensity - changed > LEAST)
        return PaintedCase(replace(brain, intensity=changed.astype(np.float32)), truth)
