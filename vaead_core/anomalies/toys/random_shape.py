"""Datasets 2 and 3 of the thesis: random outlines, alone or several in one image."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.random import Generator

from vaead_core.anomalies.toys import Place, Toy, ToyCase, register
from vaead_core.anomalies.toys.placing import distance_mm, paint, random_place
from vaead_core.errors import InputError
from vaead_core.scans.volume import Array, Slices

HARMONICS = np.arange(2, 8)
ANGLES = 512
IRREGULARITY = 0.35


@register("random_shape")
@dataclass(frozen=True)
class RandomShape(Toy):
    """A shape with a smooth random outline and one intensity; its area is that of a disc of `size_mm` radius."""

    size_mm: float = 10.0
    intensity: float = -1.0
    irregularity: float = field(default=IRREGULARITY, metadata={"low": 0.0})
    length_mm: float = 50.0
    title: ClassVar[str] = "Random shape"

    def plant(self, slices: Slices, spacing_mm: float, rng: Generator, place: Place | None = None) -> ToyCase:
        place = place or random_place(slices, self.size_mm, self.length_mm, spacing_mm, rng)
        inside = shape_inside(slices, place, self.size_mm, self.irregularity, spacing_mm, rng)
        return paint(slices, place, inside, np.full(inside.shape, self.intensity))


@register("multiple_shapes")
@dataclass(frozen=True)
class MultipleShapes(Toy):
    """Several random shapes in one image, one for each size and intensity, apart from one another."""

    sizes_mm: tuple[float, ...] = (10.0, 10.0)
    intensities: tuple[float, ...] = (-1.0, 1.0)
    irregularity: float = field(default=IRREGULARITY, metadata={"low": 0.0})
    length_mm: float = 50.0
    title: ClassVar[str] = "Multiple shapes"

    def __post_init__(self) -> None:
        if len(self.sizes_mm) != len(self.intensities) or not self.sizes_mm:
            found = f"{len(self.sizes_mm)} sizes and {len(self.intensities)} intensities"
            raise InputError(f"Several shapes need one intensity for each size; found {found}.")

    def plant(self, slices: Slices, spacing_mm: float, rng: Generator, place: Place | None = None) -> ToyCase:
        first = place or random_place(slices, max(self.sizes_mm), self.length_mm, spacing_mm, rng)
        run = slices[first.first : first.first + first.count]
        weight, value = np.zeros(slices.mask.shape[1:], bool), np.zeros(slices.mask.shape[1:])
        for index, (size_mm, intensity) in enumerate(zip(self.sizes_mm, self.intensities, strict=True)):
            here = random_place(run, size_mm, self.length_mm, spacing_mm, rng, weight) if index else first
            inside = shape_inside(slices, here, size_mm, self.irregularity, spacing_mm, rng) & ~weight
            weight |= inside
            value[inside] = intensity
        return paint(slices, first, weight, value)


def shape_inside(slices: Slices, place: Place, size_mm: float, irregularity: float, spacing_mm: float, rng: Generator) -> Array:
    """(H, W) bool: the inside of a star-shaped outline r(θ) = s·exp(Σ aₖ cos kθ + bₖ sin kθ), area π·size_mm².

    aₖ, bₖ are normal with deviation irregularity / k; the centre pixel is always inside.
    """
    spread = irregularity / HARMONICS
    a, b = rng.normal(0, spread), rng.normal(0, spread)

    def outline(angles: Array) -> Array:
        phases = angles[..., None] * HARMONICS
        return np.exp(np.cos(phases) @ a + np.sin(phases) @ b)

    area = np.pi * np.mean(outline(np.linspace(0, 2 * np.pi, ANGLES, endpoint=False)) ** 2)
    scale = size_mm * np.sqrt(np.pi / area)
    distance, angle = distance_mm(slices, place, spacing_mm)
    return distance <= np.maximum(scale * outline(angle), spacing_mm / 2)
