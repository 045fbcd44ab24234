"""A lesion of a reader's own."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.random import Generator
from scipy import ndimage

from vaead_core.anomalies.lesions import Lesion, PaintedCase, recoloured, register
from vaead_core.anomalies.lesions.outlines import EDGE_MM
from vaead_core.scans.volume import Array, Brain


@register("drawn")
@dataclass(frozen=True)
class DrawnLesion(Lesion):
    """A line drawn by hand with a round brush, in whatever tissue it crosses: a ball about each of its voxels.

    path: voxels that the brush passed, counted from the centre.
    """

    change: float = -0.3
    radius_mm: float = 4.0
    path: tuple[tuple[int, int, int], ...] = ((0, 0, 0),)
    title: ClassVar[str] = "Drawn by hand"
    one: ClassVar[str] = "Drawn by hand"
    tissue: ClassVar[str] = "brain"

    def reach_mm(self, spacing_mm: float) -> float:
        return self.radius_mm + EDGE_MM + spacing_mm * float(np.abs(self.path).max())

    def places(self, brain: Brain, labels: Array) -> Array:
        return brain.mask

    def paint_at(self, centre: Array, brain: Brain, labels: Array, rng: Generator) -> PaintedCase:
        passed = np.zeros(labels.shape, bool)
        along = np.concatenate([_between(*ends) for ends in zip(self.path, self.path[1:] or self.path, strict=False)])
        inside = along + np.asarray(centre)
        inside = inside[((inside >= 0) & (inside < labels.shape)).all(1)]
        passed[tuple(inside.T)] = True
        away_mm = ndimage.distance_transform_edt(~passed) * brain.spacing_mm if passed.any() else np.full(labels.shape, np.inf)
        share = np.clip(0.5 + (self.radius_mm - away_mm) / EDGE_MM / 2, 0, 1) * brain.mask
        return PaintedCase(recoloured(brain, self.change, share), share >= 0.5)


def _between(start: tuple[int, int, int], end: tuple[int, int, int]) -> Array:
    """(n, 3) voxels on the line from one to another, both ends among them."""
    count = 1 + int(np.abs(np.subtract(end, start)).max())
    return np.rint(np.linspace(start, end, count)).astype(int)
