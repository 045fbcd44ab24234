"""An affine of a scan to SRI24, by gradient descent from where it is taken to begin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import SimpleITK as sitk

from vaead_core.scans import atlas
from vaead_core.scans.registration.resampling import LPS, bins, image
from vaead_core.scans.volume import Array, Volume

ATLAS_SPACING_MM = 3.0
_SAMPLED_SHARE = 0.2
_SEED = 1
_AT_REST_MM = 1.0  # a healthy, upright brain moves by 0.1 to 1 mm when its descent is begun anew
_RESTARTS = 4


@dataclass(frozen=True)
class Coarse:
    """A scan as the descent sees it. values: its tissue; mask: 0 or 1, float32; both on one grid of 2 to 3 mm."""

    values: sitk.Image
    mask: sitk.Image


def coarse(scan: Volume, spacing_mm: float = 2.0) -> Coarse:
    """Averaged down to about `spacing_mm` where the scan is finer: speed, without aliasing."""
    values, mask = image(scan.tissue, scan.affine), image(scan.mask.astype(np.float32), scan.affine)
    shrink = bins(values.GetSpacing(), spacing_mm)
    if max(shrink) > 1:
        values, mask = sitk.BinShrink(values, shrink), sitk.BinShrink(mask, shrink)
    return Coarse(values, sitk.Cast(mask > 0, sitk.sitkFloat32))


@lru_cache(maxsize=1)
def coarse_atlas() -> Coarse:
    """SRI24 at ATLAS_SPACING_MM."""
    return coarse(atlas.t1(), ATLAS_SPACING_MM)


def from_moments(scan: Coarse) -> Array:
    """(4, 4) to the atlas: one descent from the two brains' centres of mass, taken as upright."""
    return _descended(scan, _moments_start(coarse_atlas().mask, scan.mask))


def at_rest(scan: Coarse, matrix: Array, goes_on: Callable[[Array], bool] = lambda matrix: True) -> Array:
    """`matrix` (4, 4) where a descent begun at it ends beside it, else what that descent's own successors rest at.

    A descent is bounded in steps, and from 10° away it ends on its way. goes_on: whether one that has moved has a successor.
    """
    for _ in range(_RESTARTS):
        again = _descended(scan, itk_affine(matrix), again=True)
        if moved_mm(matrix, again) < _AT_REST_MM:
            break
        matrix = again
        if not goes_on(matrix):
            break
    return matrix


def moved_mm(one: Array, other: Array) -> float:
    """By how much the brain's places differ between two ways (4, 4) to the atlas, mean, in mm of the atlas."""
    points = _brain_points()
    return float(np.linalg.norm((other @ np.linalg.inv(one) @ points - points)[:3], axis=0).mean())


def itk_affine(matrix: Array) -> sitk.AffineTransform:
    """A way (4, 4) to the atlas as ITK takes it: from the atlas to the scan, in LPS, about the atlas brain's centre."""
    back, centre = LPS @ np.linalg.inv(matrix) @ LPS, _moments(coarse_atlas().mask)[0]
    transform = sitk.AffineTransform(3)
    transform.SetCenter(centre)
    transform.SetMatrix(back[:3, :3].ravel())
    transform.SetTranslation(back[:3, :3] @ centre + back[:3, 3] - centre)
    return transform


def _descended(scan: Coarse, start: sitk.AffineTransform, again: bool = False) -> Array:
    """Mattes' mutual information (Mattes et al. 2003) on a fixed random sample of voxels, its levels from coarse to 3 mm."""
    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfWorkUnits(1)  # sums in one order: the same transform on every machine and every run
    method.SetMetricAsMattesMutualInformation(32)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(_SAMPLED_SHARE, _SEED)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-3, 100, 0.6)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([3, 2, 1] if again else [2, 1])
    method.SetSmoothingSigmasPerLevel([2.0, 1.0, 0.0] if again else [1.0, 0.0])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOff()
    method.SetInitialTransform(start, inPlace=True)
    method.Execute(coarse_atlas().values, scan.values)
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(start.GetMatrix(), (3, 3))
    centre = np.array(start.GetCenter())
    matrix[:3, 3] = np.array(start.GetTranslation()) + centre - matrix[:3, :3] @ centre
    return np.linalg.inv(LPS @ matrix @ LPS)


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
    points = _points(mask)
    return points.mean(0), points.std(0)


def _points(mask: sitk.Image) -> Array:
    """(N, 3) world places of its voxels, LPS."""
    k, j, i = np.nonzero(sitk.GetArrayViewFromImage(mask))
    if not len(k):
        raise ValueError("no voxel lies above 0")
    direction = np.reshape(mask.GetDirection(), (3, 3)) * np.array(mask.GetSpacing())
    return np.stack([i, j, k], 1) @ direction.T + np.array(mask.GetOrigin())


@lru_cache(maxsize=1)
def _brain_points() -> Array:
    """(4, N): every 50th voxel of the atlas's brain, in its RAS+ world."""
    points = _points(coarse_atlas().mask)[::50]
    return LPS @ np.vstack([points.T, np.ones(len(points))])
