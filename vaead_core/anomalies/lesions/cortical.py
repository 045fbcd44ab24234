"""Lesions like an infarct."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.random import Generator
from scipy import ndimage

from vaead_core.anomalies.lesions import Lesion, PaintedCase, recoloured, register
from vaead_core.anomalies.lesions.outlines import blob
from vaead_core.scans import atlas
from vaead_core.scans.volume import Array, Brain

DEPTH_MM = 12.0  # of the centre below the brain's surface, at most


@register("cortical")
@dataclass(frozen=True)
class CorticalLesion(Lesion):
    """One large irregular region of cortex and the white matter below it, as of an infarct; fluid keeps its intensity."""

    change: float = -0.2
    radius_mm: float = 18.0
    title: ClassVar[str] = "Cortical region"
    one: ClassVar[str] = "Cortical region"
    tissue: ClassVar[str] = "cortex"

    def places(self, brain: Brain, labels: Array) -> Array:
        depth_mm = ndimage.distance_transform_edt(brain.mask) * brain.spacing_mm
        return (labels == atlas.GREY) & brain.mask & (depth_mm < DEPTH_MM)

    def paint_at(self, centre: Array, brain: Brain, labels: Array, rng: Generator) -> PaintedCase:
        share = blob(labels.shape, centre, self.radius_mm, brain.spacing_mm, rng)
        share *= np.isin(labels, (atlas.GREY, atlas.WHITE)) & brain.mask
        return PaintedCase(recoloured(brain, self.change, share), share >= 0.5)
