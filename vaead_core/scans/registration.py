"""Affine registration of a scan to SRI24, and resampling between the scan's grid and the atlas grid."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import SimpleITK as sitk

from vaead_core.errors import ScanError, refusing
from vaead_core.scans import atlas
from vaead_core.scans.geometry import AffineToAtlas, Grid
from vaead_core.scans.volume import Array, Volume

_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])  # ITK's world axes point left and posterior, NIfTI's right and anterior
_SAMPLED_SHARE = 0.2
_SEED = 1


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


def register(scan: Volume) -> AffineToAtlas:
    """Twelve-parameter affine of a skull-stripped scan to SRI24.

    Starts from the centre and principal sizes of the two brains, then maximises Mattes' mutual information
    (Mattes et al. 2003) at 4 mm and 3 mm by gradient descent on a fixed random sample of voxels. Raises ScanError.
    """
    refusal = ScanError(
        f"{scan.name} could not be brought to the atlas; check that it is a whole, skull-stripped adult brain, "
        "bright on a background of 0, with the right voxel size."
    )
    with refusing(refusal, RuntimeError, ValueError, OverflowError, np.linalg.LinAlgError):  # ITK's, and of grids of no size
        return _registered(scan)


def _registered(scan: Volume) -> AffineToAtlas:
    fixed, fixed_mask = _atlas_image()
    moving, mask = _coarse(scan)
    start = sitk.AffineTransform(_moments_start(fixed_mask, mask))
    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfWorkUnits(1)  # sums in one order: the same transform on every machine and every run
    method.SetMetricAsMattesMutualInformation(32)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(_SAMPLED_SHARE, _SEED)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-3, 100, 0.6)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([2, 1])
    method.SetSmoothingSigmasPerLevel([1.0, 0.0])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOff()
    method.SetInitialTransform(start, inPlace=True)
    method.Execute(fixed, moving)
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(start.GetMatrix(), (3, 3))
    centre = np.array(start.GetCenter())
    matrix[:3, 3] = np.array(start.GetTranslation()) + centre - matrix[:3, :3] @ centre
    return AffineToAtlas(np.linalg.inv(_LPS @ matrix @ _LPS))


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


def to_scan(data: Array, grid: Grid, transform: AffineToAtlas, scan: Volume, nearest: bool = False) -> Array:
    """`data` (on the atlas grid) resampled to the scan's RAS+ grid; 0 outside. float32."""
    return _resample(data, grid.affine, scan.data.shape, scan.affine, transform.matrix, nearest)


def _resample(data: Array, affine: Array, shape: tuple, target: Array, source_from_target: Array, nearest: bool) -> Array:
    transform = sitk.AffineTransform(3)
    matrix = _LPS @ source_from_target @ _LPS
    transform.SetMatrix(matrix[:3, :3].ravel())
    transform.SetTranslation(matrix[:3, 3])
    image = _image(data.astype(np.float32, copy=False), affine)
    origin, spacing, direction = _geometry(target)
    kind = sitk.sitkNearestNeighbor if nearest else sitk.sitkLinear
    size = [int(length) for length in shape]
    moved = sitk.Resample(image, size, transform, kind, origin, spacing, direction, 0.0, sitk.sitkFloat32)
    return np.ascontiguousarray(sitk.GetArrayFromImage(moved).transpose(2, 1, 0))


def _geometry(affine: Array) -> tuple[list[float], list[float], list[float]]:
    lps = _LPS @ affine
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    return lps[:3, 3].tolist(), spacing.tolist(), (lps[:3, :3] / spacing).ravel().tolist()


def _image(data: Array, affine: Array) -> sitk.Image:
    image = sitk.GetImageFromArray(np.ascontiguousarray(data.transpose(2, 1, 0)))
    origin, spacing, direction = _geometry(affine)
    image.SetOrigin(origin)
    image.SetSpacing(spacing)
    image.SetDirection(direction)
    return image


def _coarse(scan: Volume, spacing_mm: float = 2.0) -> tuple[sitk.Image, sitk.Image]:
    """The scan and its mask, averaged down to about `spacing_mm` when it is finer: speed, without aliasing."""
    image, mask = _image(scan.tissue, scan.affine), _image(scan.mask.astype(np.float32), scan.affine)
    shrink = [max(1, int(spacing_mm / length + 0.25)) for length in image.GetSpacing()]
    if max(shrink) > 1:
        image, mask = sitk.BinShrink(image, shrink), sitk.BinShrink(mask, shrink)
    return image, sitk.Cast(mask > 0, sitk.sitkFloat32)


@lru_cache(maxsize=1)
def _atlas_image() -> tuple[sitk.Image, sitk.Image]:
    full = atlas.t1()
    return _coarse(full, 3.0)


def _moments_start(fixed_mask: sitk.Image, mask: sitk.Image) -> sitk.AffineTransform:
    """Centres of mass together; each axis scaled by the ratio of the brains' extents along it."""
    fixed_centre, fixed_spread = _moments(fixed_mask)
    centre, spread = _moments(mask)
    start = sitk.AffineTransform(3)
    start.SetCenter(fixed_centre)
    start.SetTranslation(centre - fixed_centre)
    start.SetMatrix(np.diag(np.clip(spread / fixed_spread, 0.7, 1.4)).ravel())
    return start


def _moments(mask: sitk.Image) -> tuple[Array, Array]:
    k, j, i = np.nonzero(sitk.GetArrayViewFromImage(mask))
    if not len(k):
        raise ValueError("no voxel lies above 0")
    direction = np.reshape(mask.GetDirection(), (3, 3)) * np.array(mask.GetSpacing())
    points = np.stack([i, j, k], 1) @ direction.T + np.array(mask.GetOrigin())
    return points.mean(0), points.std(0)
