"""Dataset 4 of the thesis."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.random import Generator
from scipy import ndimage

from vaead_core.anomalies.toys import Place, Toy, ToyCase, register
from vaead_core.anomalies.toys.placing import distance_mm, paint, random_place
from vaead_core.scans.volume import Slices

FAINTEST = 0.1  # the blurred edge ends where less than this share of a pixel is tumour


@register("tumour")
@dataclass(frozen=True)
class Tumour(Toy):
    """A dark disc in a bright ring, blurred: a toy of a necrotic tumour with an enhancing rim (thesis, 3.2.4)."""

    radius_mm: float = 10.0
    ring_mm: float = field(default=4.0, metadata={"low": 0.0})
    core: float = -1.0
    rim: float = 1.0
    blur_mm: float = field(default=2.0, metadata={"low": 0.0})
    length_mm: float = 50.0
    title: ClassVar[str] = "Tumour"

    def plant(self, slices: Slices, spacing_mm: float, rng: Generator, place: Place | None = None) -> ToyCase:
        outer = self.radius_mm + self.ring_mm
        place = place or random_place(slices, outer, self.length_mm, spacing_mm, rng)
        distance, _ = distance_mm(slices, place, spacing_mm)
        support = (distance <= outer).astype(float)
        pattern = np.where(distance <= self.radius_mm, self.core, self.rim) * support
        weight, value = (ndimage.gaussian_filter(part, self.blur_mm / spacing_mm) for part in (support, pattern))
        value = value / np.maximum(weight, FAINTEST)
        return paint(slices, place, np.where(weight < FAINTEST, 0, weight), value)
