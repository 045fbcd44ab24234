"""How well a scan lies on the atlas: what tells a brain in its place from one that is turned, or from none."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from vaead_core.scans.geometry import Placement
from vaead_core.scans.registration.descent import ATLAS_SPACING_MM, Coarse, coarse_atlas, itk_affine
from vaead_core.scans.volume import Array

HEALTHY_SIMILARITIES = (0.5, 0.67)  # lowest and highest, by `python -m benchmarks.healthy_registration`
LEAST_SIMILARITY = 0.37  # four standard deviations above brains that are turned by half
_NEIGHBOURHOOD_MM = 15.0


def judged(scan: Coarse, matrix: Array) -> Placement:
    """The placement of `scan` by `matrix` (4, 4), measured on the atlas's voxels of 3 mm.

    Its similarity is Pearson's correlation of the two T1 within both brains, once each has lost its mean within some
    15 mm. Neither outlines count in it, which any brain-sized thing can share, nor a coil's shading.
    """
    reference, whole = _reference()
    within = _on_atlas(scan.mask, matrix) > 0.5
    both = whole & within
    overlap = 2 * both.sum() / (whole.sum() + within.sum())
    similarity = _correlation(_detail(reference, both), _detail(_on_atlas(scan.values, matrix), both))
    return Placement(matrix, similarity, float(overlap), float(both.sum() / whole.sum()), _missing_part(whole & ~within, whole))


def _detail(values: Array, mask: Array) -> Array:
    """(N,) of the voxels in `mask`, less their neighbourhood's mean."""
    share = np.maximum(ndimage.gaussian_filter(mask.astype(np.float32), _NEIGHBOURHOOD_MM / ATLAS_SPACING_MM), 1e-6)
    mean = ndimage.gaussian_filter(values * mask, _NEIGHBOURHOOD_MM / ATLAS_SPACING_MM) / share
    return (values - mean)[mask].astype(np.float64)


def _correlation(one: Array, other: Array) -> float:
    if one.size < 2 or one.std() == 0 or other.std() == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def _missing_part(missing: Array, whole: Array) -> str:
    """Which part of the atlas's brain (I, J, K) `missing` is."""
    if not missing.any():
        return ""
    away = (np.argwhere(missing).mean(0) - np.argwhere(whole).mean(0)) / np.argwhere(whole).std(0)
    axis = int(np.abs(away).argmax())
    return (("left", "right"), ("back", "front"), ("bottom", "top"))[axis][int(away[axis] > 0)]


def _on_atlas(picture: sitk.Image, matrix: Array) -> Array:
    """(I, J, K) float32 on the coarse atlas's grid, 0 outside the scan's field of view."""
    moved = sitk.Resample(picture, coarse_atlas().values, itk_affine(matrix), sitk.sitkLinear, 0.0, sitk.sitkFloat32)
    return sitk.GetArrayFromImage(moved).transpose(2, 1, 0)


@lru_cache(maxsize=1)
def _reference() -> tuple[Array, Array]:
    values, mask = (sitk.GetArrayFromImage(part).transpose(2, 1, 0) for part in (coarse_atlas().values, coarse_atlas().mask))
    return values, mask > 0.5
