"""Lesions like those of multiple sclerosis."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.random import Generator
from scipy import ndimage

from vaead_core.anomalies.lesions import Lesion, PaintedCase, recoloured, register
from vaead_core.anomalies.lesions.outlines import blob, centre_in, tissues
from vaead_core.scans import atlas
from vaead_core.scans.volume import Brain


@register("white_matter")
@dataclass(frozen=True)
class WhiteMatterLesions(Lesion):
    """Several small irregular spots in white matter, as in multiple sclerosis."""

    change: float = -0.2
    count: int = 8
    smallest_mm: float = 2.5
    largest_mm: float = 6.0
    title: ClassVar[str] = "White-matter spots"

    def paint(self, brain: Brain, rng: Generator) -> PaintedCase:
        white = (tissues(int(brain.spacing_mm)) == atlas.WHITE) & brain.mask
        deep = ndimage.binary_erosion(white)
        share = np.zeros(white.shape, np.float32)
        for radius_mm in rng.uniform(self.smallest_mm, self.largest_mm, self.count):
            share = np.maximum(share, blob(white.shape, centre_in(deep, rng), radius_mm, brain.spacing_mm, rng))
        share *= white
        return PaintedCase(recoloured(brain, self.change, share), share >= 0.5)
