"""Lesions that push the tissue about them aside."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.random import Generator
from scipy import ndimage

from vaead_core.anomalies.lesions import Lesion, PaintedCase, recoloured, register
from vaead_core.anomalies.lesions.outlines import blob, distance_mm
from vaead_core.scans import atlas
from vaead_core.scans.volume import Array, Brain


@register("mass")
@dataclass(frozen=True)
class Mass(Lesion):
    """An irregular mass in white matter that has grown: the tissue about it is pushed outwards, less with distance."""

    change: float = -0.2
    radius_mm: float = 14.0
    push: float = 0.4
    title: ClassVar[str] = "Mass with expansion"
    one: ClassVar[str] = "Mass with expansion"
    tissue: ClassVar[str] = "white matter"
    reach: ClassVar[float] = 3.2  # it moves tissue as far

    def places(self, brain: Brain, labels: Array) -> Array:
        return ndimage.binary_erosion((labels == atlas.WHITE) & brain.mask, iterations=2)

    def paint_at(self, centre: Array, brain: Brain, labels: Array, rng: Generator) -> PaintedCase:
        pushed = replace(brain, intensity=self._pushed(brain, centre) * brain.mask)
        share = blob(labels.shape, centre, self.radius_mm, brain.spacing_mm, rng) * brain.mask
        return PaintedCase(recoloured(pushed, self.change, share), share >= 0.5)

    def _pushed(self, brain: Brain, centre: Array) -> Array:
        """Each voxel shows what lay nearer to the centre: at the mass's surface by `push` radii, fading over two radii."""
        away = distance_mm(brain.intensity.shape, centre, brain.spacing_mm) / self.radius_mm
        kept = 1 - self.push * np.exp(-((np.maximum(away - 1, 0)) ** 2)) * np.minimum(1, away) / np.maximum(away, 1e-6)
        grid = np.indices(brain.intensity.shape, np.float32)
        at = [start + (axis - start) * kept for axis, start in zip(grid, centre, strict=True)]
        return ndimage.map_coordinates(brain.intensity, at, order=1, mode="nearest").astype(np.float32)
