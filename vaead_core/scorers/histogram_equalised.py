"""The other baseline without a network: how extreme the intensity is in its own brain."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vaead_core.inference.model import Model
from vaead_core.scans.volume import Array, Slices
from vaead_core.scorers import MapScorer, masked_to_brain, register


@register("histogram_equalised")
@dataclass(frozen=True)
class HistogramEqualisedIntensity(MapScorer):
    """|rank − ½| of each pixel's intensity among the pixels of its slice's brain: very dark and very bright count, with no
    network at all; a baseline (Meissen et al. 2021, there per volume and for bright lesions)."""

    title: ClassVar[str] = "Equalised intensity (baseline)"
    unit: ClassVar[str] = "rank distance from the median"
    trust: ClassVar[str] = "Trust it on contrasts in which lesions are the brightest tissue, such as FLAIR; on T1 they are not."

    def score_map(self, model: Model, slices: Slices) -> Array:
        from scipy.stats import rankdata  # half a second of import that a page without this map need not wait

        maps = np.zeros(slices.pixels.shape, np.float32)
        for image, mask, row in zip(slices.pixels, slices.mask, maps, strict=True):
            if mask.any():
                row[mask] = np.abs((rankdata(image[mask]) - 0.5) / mask.sum() - 0.5)
        return masked_to_brain(maps, slices)
