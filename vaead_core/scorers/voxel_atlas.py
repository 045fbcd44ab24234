"""The baseline without a network: distance from the healthy mean image."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vaead_core.inference.model import Model
from vaead_core.measures.smoothing import gaussian
from vaead_core.scans.volume import Array, Slices
from vaead_core.scorers import MapScorer, Needs, register
from vaead_core.scorers.wrappers import Calibrated, Intensity

_CALIBRATED = Calibrated(Intensity(), "intensity")


@register("voxel_atlas")
@dataclass(frozen=True)
class VoxelAtlas(MapScorer):
    """|x − mean| / deviation of healthy training brains at each voxel of the atlas: no network at all, a baseline
    that every method must beat (Meissen et al. 2022)."""

    title: ClassVar[str] = "Voxel atlas (baseline)"
    unit: ClassVar[str] = "healthy deviations"
    trust: ClassVar[str] = (
        "Trust it where intensity is far from usual for its place; it knows nobody's own anatomy, so "
        "that wide ventricles light up."
    )
    needs: ClassVar[Needs] = Needs(calibrated=(_CALIBRATED,))

    def score_map(self, model: Model, slices: Slices) -> Array:
        return np.abs(_CALIBRATED.score_map(model, slices))


@register("dark_voxel_atlas")
@dataclass(frozen=True)
class DarkVoxelAtlas(MapScorer):
    """(mean − x) / deviation of healthy training brains at each voxel of the atlas, then smoothed a little within the brain: the
    darker side of the voxel atlas alone, as most lesions are darker than their place on T1. No network at all."""

    pixels: float = 1.0
    title: ClassVar[str] = "Voxel atlas, darker side"
    unit: ClassVar[str] = "healthy deviations"
    trust: ClassVar[str] = (
        "Of painted lesions 10 to 20 % darker than white matter it finds more than any other map, of dark cortex, masses and "
        "atrophy more than the voxel atlas; it sees nothing bright, and wide ventricles and sulci light up."
    )
    needs: ClassVar[Needs] = Needs(calibrated=(_CALIBRATED,))

    def score_map(self, model: Model, slices: Slices) -> Array:
        return gaussian(-_CALIBRATED.score_map(model, slices), slices.mask, self.pixels)
