"""Lesions like those of multiple sclerosis."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.random import Generator
from scipy import ndimage

from vaead_core.anomalies.lesions import Lesion, PaintedCase, recoloured, register
from vaead_core.anomalies.lesions.outlines import blob, centre_in, tissues
from vaead_core.scans import atlas
from vaead_core.scans.volume import Array, Brain


@register("white_matter")
@dataclass(frozen=True)
class WhiteMatterLesions(Lesion):
    """Several small irregular spots in white matter, as in multiple sclerosis."""

    change: float = -0.2
    count: int = 8
    smallest_mm: float = 2.5
    largest_mm: float = 6.0
    title: ClassVar[str] = "White-matter spots"
    one: ClassVar[str] = "White-matter spot"
    tissue: ClassVar[str] = "white matter"
    radii: ClassVar[tuple[str, ...]] = ("smallest_mm", "largest_mm")

    def paint(self, brain: Brain, rng: Generator) -> PaintedCase:
        labels = tissues(int(brain.spacing_mm))
        deep, share = self.places(brain, labels), np.zeros(labels.shape, np.float32)
        for radius_mm in rng.uniform(self.smallest_mm, self.largest_mm, self.count):
            share = np.maximum(share, blob(labels.shape, centre_in(deep, rng), radius_mm, brain.spacing_mm, rng))
        return self._painted(share, brain, labels)

    def places(self, brain: Brain, labels: Array) -> Array:
        return ndimage.binary_erosion((labels == atlas.WHITE) & brain.mask)

    def paint_at(self, centre: Array, brain: Brain, labels: Array, rng: Generator) -> PaintedCase:
        radius_mm = rng.uniform(self.smallest_mm, self.largest_mm)
        return self._painted(blob(labels.shape, centre, radius_mm, brain.spacing_mm, rng), brain, labels)

    def _painted(self, share: Array, brain: Brain, labels: Array) -> PaintedCase:
        share = share * ((labels == atlas.WHITE) & brain.mask)
        return PaintedCase(recoloured(brain, self.change, share), share >= 0.5)
