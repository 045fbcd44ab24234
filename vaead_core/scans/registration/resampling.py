"""The atlas grid, and resampling between it and a scan's own grid."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import SimpleITK as sitk

from vaead_core.scans import atlas
from vaead_core.scans.geometry import AffineToAtlas, Grid
from vaead_core.scans.volume import Array, Volume

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])  # ITK's world axes point left and posterior, NIfTI's right and anterior


@lru_cache(maxsize=4)
def atlas_grid(spacing_mm: int) -> Grid:
    """SRI24's own 240 x 240 x 155 grid at 1 mm, or 120 x 120 x 78 at 2 mm covering the same space.

    >>> atlas_grid(1).shape, atlas_grid(2).shape
    ((240, 240, 155), (120, 120, 78))
    """
    if spacing_mm not in (1, 2):
        raise ValueError(f"the atlas grid comes at 1 or 2 mm, got {spacing_mm}")
    full = atlas.t1()
    shape = tuple(-(-size // spacing_mm) for size in full.data.shape)
    affine = full.affine @ np.diag([spacing_mm, spacing_mm, spacing_mm, 1.0])
    affine[:3, 3] = full.affine[:3, :3] @ np.full(3, (spacing_mm - 1) / 2) + full.affine[:3, 3]
    return Grid(shape, affine)


def to_atlas(data: Array, scan: Volume, transform: AffineToAtlas, grid: Grid, nearest: bool = False) -> Array:
    """`data` (on the scan's RAS+ grid) resampled to `grid`; 0 outside the field of view. float32.

    >>> scan, grid = Volume(np.full((4, 4, 4), 3, np.float32), np.eye(4)), Grid((2, 1, 1), np.diag([3.0, 3, 3, 1]))
    >>> to_atlas(scan.data, scan, AffineToAtlas(np.eye(4)), grid).ravel().tolist()  # at 0 and 3 mm
    [3.0, 3.0]
    >>> to_atlas(scan.data, scan, AffineToAtlas(np.diag([0.5, 1, 1, 1])), grid).ravel().tolist()  # 3 mm are 6 of the scan's
    [3.0, 0.0]
    """
    scan_from_atlas = np.linalg.inv(transform.matrix)
    return _resample(data, scan.affine, grid.shape, grid.affine, scan_from_atlas, nearest)


def coarsened(scan: Volume, spacing_mm: float) -> Volume:
    """A scan of finer voxels averaged, within its brain, to voxels of up to about `spacing_mm`: as a coarse scan is sharp.

    Its values are `tissue`; its brain what at least half of a voxel is of.
    """
    counts = bins(scan.spacing_mm, spacing_mm)
    if max(counts) == 1:
        return scan
    outside = [(0, -size % count) for size, count in zip(scan.data.shape, counts, strict=True)]
    values, mask = (image(np.pad(part.astype(np.float32), outside), scan.affine) for part in (scan.tissue, scan.mask))
    total, share = (sitk.GetArrayFromImage(sitk.BinShrink(part, counts)).transpose(2, 1, 0) for part in (values, mask))
    affine = scan.affine @ np.diag([*counts, 1.0])
    affine[:3, 3] += scan.affine[:3, :3] @ ((np.array(counts) - 1) / 2)
    return Volume(np.where(share > 0, total / np.maximum(share, 1e-6), 0), affine, scan.name, brain=share >= 0.5)


def bins(lengths_mm: Sequence[float] | Array, spacing_mm: float) -> list[int]:
    """How many voxels of such edges make one of up to about `spacing_mm`, along each axis.

    >>> bins([1.0, 0.9, 3.0], 2)
    [2, 2, 1]
    """
    return [max(1, int(spacing_mm / length + 0.25)) for length in lengths_mm]


def to_scan(data: Array, grid: Grid, transform: AffineToAtlas, scan: Volume, nearest: bool = False) -> Array:
    """`data` (on the atlas grid) resampled to the scan's RAS+ grid; 0 outside. float32."""
    return _resample(data, grid.affine, scan.data.shape, scan.affine, transform.matrix, nearest)


def _resample(data: Array, affine: Array, shape: tuple, target: Array, source_from_target: Array, nearest: bool) -> Array:
    transform = sitk.AffineTransform(3)
    matrix = LPS @ source_from_target @ LPS
    transform.SetMatrix(matrix[:3, :3].ravel())
    transform.SetTranslation(matrix[:3, 3])
    source = image(data.astype(np.float32, copy=False), affine)
    origin, spacing, direction = _geometry(target)
    kind = sitk.sitkNearestNeighbor if nearest else sitk.sitkLinear
    size = [int(length) for length in shape]
    moved = sitk.Resample(source, size, transform, kind, origin, spacing, direction, 0.0, sitk.sitkFloat32)
    return np.ascontiguousarray(sitk.GetArrayFromImage(moved).transpose(2, 1, 0))


def _geometry(affine: Array) -> tuple[list[float], list[float], list[float]]:
    lps = LPS @ affine
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    return lps[:3, 3].tolist(), spacing.tolist(), (lps[:3, :3] / spacing).ravel().tolist()


def image(data: Array, affine: Array) -> sitk.Image:
    """`data` (I, J, K) where `affine` (4, 4) lays it, as ITK holds it."""
    held = sitk.GetImageFromArray(np.ascontiguousarray(data.transpose(2, 1, 0)))
    origin, spacing, direction = _geometry(affine)
    held.SetOrigin(origin)
    held.SetSpacing(spacing)
    held.SetDirection(direction)
    return held
