"""Two maps beside each other on the atlas grid: two checkpoints on one scan, or two scans through one checkpoint."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vaead_core import scorers
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.errors import InputError
from vaead_core.pipeline.scoring import PreparedScan, Scored
from vaead_core.scans.geometry import AffineToAtlas, Grid
from vaead_core.scans.nifti import Said, map_to_nifti
from vaead_core.scans.preprocessing import Preprocessor
from vaead_core.scans.registration import atlas_grid, to_atlas
from vaead_core.scans.volume import Array, Brain, Volume

# Units that mean something else in every network.
NETWORKS_OWN = ("activation", "Mahalanobis distance", "distance in feature deviations", "(1 − SSIM) / 2", "nats per intensity")
PERCENTILE_POINTS = "percentile points"
_FAINTEST = 1e-3  # of a brain's intensities from 0 to 1, so that 0 is outside


@dataclass(frozen=True)
class Side:
    """One of the two: a scan as a checkpoint sees it, and one method's map of it."""

    prepared: PreparedScan
    checkpoint: Checkpoint
    scored: Scored

    @property
    def preprocessor(self) -> Preprocessor:
        """The checkpoint's. Raises ValueError for a model of pictures."""
        if self.checkpoint.preprocessor is None:
            raise ValueError("only a model of brain scans has an atlas grid")
        return self.checkpoint.preprocessor

    @property
    def spacing_mm(self) -> int:
        """Of its atlas grid."""
        return self.preprocessor.spacing_mm

    @property
    def unit(self) -> str:
        """Of its map's values."""
        return scorers.SCORERS[self.scored.name].unit

    def on_grid(self, spacing_mm: int) -> Array:
        """(I, J, K) float32: its map on an atlas grid, 0 outside of `covered`."""
        return self._moved(self.scored.map_values, spacing_mm)

    def percentiles_on_grid(self, spacing_mm: int) -> Array:
        """(I, J, K) float32: of each voxel the share of healthy brain voxels, 0 to 100, that its abnormality reaches."""
        known = self.scored.healthy.pixels
        found = 100 * np.searchsorted(known, self.scored.abnormality, "right") / len(known)
        return self._moved(found, spacing_mm)

    def covered(self, spacing_mm: int) -> Array:
        """(I, J, K) bool: where its slices hold brain."""
        return self._brain(spacing_mm) > 0.5

    def marked_share(self, threshold: float) -> float:
        """The part of the brain that lies above a threshold."""
        return float((self.scored.abnormality > threshold)[self.prepared.slices.mask].mean())

    def _moved(self, values: Array, spacing_mm: int) -> Array:
        """Values of the brain on an atlas grid, where that is `covered`, weighed by how much of what lies about is brain: what is
        outside has no say. 0 elsewhere."""
        lies = self.preprocessor.slice_grid.to_volume(values * self.prepared.slices.mask, self.prepared.slices)
        brain = self._brain(spacing_mm)
        return np.where(brain > 0.5, _resampled(lies, self.spacing_mm, spacing_mm) / np.maximum(brain, 0.5), 0).astype(np.float32)

    def _brain(self, spacing_mm: int) -> Array:
        """(I, J, K) from 0 to 1: how much of what lies about is brain."""
        lies = self.preprocessor.slice_grid.to_volume(self.prepared.slices.mask.astype(np.float32), self.prepared.slices)
        return _resampled(lies, self.spacing_mm, spacing_mm)


@dataclass(frozen=True)
class Difference:
    """The second map less the first. values: (I, J, K) float32, 0 where not `covered`, (I, J, K) bool: the brain of both.

    of_percentiles: of each value's percentile among healthy voxels, as the two have no unit in common.
    """

    values: Array
    covered: Array
    unit: str
    of_percentiles: bool
    spacing_mm: int

    @property
    def grid(self) -> Grid:
        """Where the values lie."""
        return atlas_grid(self.spacing_mm)

    @property
    def typical(self) -> float:
        """Median size in a voxel of both brains."""
        return float(np.median(np.abs(self.values[self.covered])))


def intensity_on_grid(brain: Brain, spacing_mm: int) -> Array:
    """(I, J, K) float32: a scan as its network sees it, from just above 0 to 1 in the brain, 0 outside, on an atlas grid."""
    seen = np.clip((brain.intensity + 1) / 2, _FAINTEST, 1) * brain.mask
    return _resampled(seen.astype(np.float32), round(brain.spacing_mm), spacing_mm)


def same_unit(first: Side, second: Side) -> bool:
    """Whether a difference of values means something: one method, on intensities that were brought to one scale alike, in a
    unit that is no single network's own."""
    if first.scored.name != second.scored.name:
        return False
    if first.checkpoint.digest == second.checkpoint.digest:
        return True
    return first.preprocessor == second.preprocessor and first.unit not in NETWORKS_OWN


def difference(first: Side, second: Side) -> Difference:
    """On the first one's grid. Raises InputError where the two brains share no voxel."""
    spacing_mm = first.spacing_mm
    both = first.covered(spacing_mm) & second.covered(spacing_mm)
    if not both.any():
        raise InputError("No place of the atlas is covered by both brains; choose another scan to compare with.")
    alike = same_unit(first, second)
    one, other = (side.on_grid(spacing_mm) if alike else side.percentiles_on_grid(spacing_mm) for side in (first, second))
    values = np.where(both, other - one, 0).astype(np.float32)
    return Difference(values, both, first.unit if alike else PERCENTILE_POINTS, not alike, spacing_mm)


def marked_by_one(side: Side, first: float, second: float) -> Array:
    """(I, J, K) float32 on the map's own grid: -1 where the first threshold alone marks, 1 where the second alone does."""
    grid = side.spacing_mm
    values = scorers.abnormality(side.scored.name, side.on_grid(grid))
    return ((values > second).astype(np.float32) - (values > first)) * side.covered(grid)


def overlap(first: Side, second: Side, thresholds: tuple[float, float]) -> float:
    """Dice of what the two mark, in the brain of both; NaN where neither marks anything."""
    grid = first.spacing_mm
    both = first.covered(grid) & second.covered(grid)
    one, other = (
        scorers.abnormality(side.scored.name, side.on_grid(grid))[both] > threshold
        for side, threshold in zip((first, second), thresholds, strict=True)
    )
    total = int(one.sum()) + int(other.sum())
    return 2 * float((one & other).sum()) / total if total else float("nan")


def grid_nifti(values: Array, spacing_mm: int, called: str, about: str) -> bytes:
    """Values on an atlas grid as a gzipped file in SRI24's space. called, about: in its header."""
    return map_to_nifti(
        values, Volume(values, atlas_grid(spacing_mm).affine), np.float32, Said("estimate", called, f"vaead: {about}")
    )


def _resampled(values: Array, own_mm: int, wanted_mm: int) -> Array:
    if own_mm == wanted_mm:
        return values
    lies = Volume(values, atlas_grid(own_mm).affine)
    return to_atlas(values, lies, AffineToAtlas(np.eye(4)), atlas_grid(wanted_mm))
