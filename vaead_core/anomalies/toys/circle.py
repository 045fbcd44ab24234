"""Dataset 1 of the thesis."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.random import Generator

from vaead_core.anomalies.toys import Place, Toy, ToyCase, register
from vaead_core.anomalies.toys.placing import distance_mm, paint, random_place
from vaead_core.scans.volume import Slices


@register("circle")
@dataclass(frozen=True)
class Circle(Toy):
    """A disc of one intensity on each slice, a cylinder in the scan (thesis, 3.2.4; the MOOD challenge's toys are spheres)."""

    radius_mm: float = 10.0
    intensity: float = -1.0
    length_mm: float = 50.0
    title: ClassVar[str] = "Circle"

    def plant(self, slices: Slices, spacing_mm: float, rng: Generator, place: Place | None = None) -> ToyCase:
        place = place or random_place(slices, self.radius_mm, self.length_mm, spacing_mm, rng)
        distance, _ = distance_mm(slices, place, spacing_mm)
        inside = distance <= max(self.radius_mm, spacing_mm / 2)
        return paint(slices, place, inside, np.full(inside.shape, self.intensity))
