"""How well a scan lies on the atlas: what tells a brain in its place from one that is turned, or from none."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import SimpleITK as sitk

from vaead_core.scans.geometry import Placement
from vaead_core.scans.registration.descent import Coarse, coarse_atlas, itk_affine
from vaead_core.scans.volume import Array

HEALTHY_SIMILARITIES = (0.53, 0.69)  # the lowest and highest of healthy brains, by `python -m benchmarks.healthy_registration`
LEAST_SIMILARITY = 0.43  # halfway from there to the highest of brains that are turned by half


def judged(scan: Coarse, matrix: Array) -> Placement:
    """The placement of `scan` by `matrix` (4, 4), measured on the atlas's voxels of 3 mm.

    Its similarity is Pearson's correlation of the two T1 within both brains: outlines, which any brain-sized thing can
    share, count for nothing in it.
    """
    reference, whole = _reference()
    within = _on_atlas(scan.mask, matrix) > 0.5
    both = whole & within
    overlap = 2 * both.sum() / (whole.sum() + within.sum())
    values = _on_atlas(scan.values, matrix)[both]
    flat = both.sum() < 2 or np.ptp(values) == 0
    similarity = 0.0 if flat else float(np.corrcoef(reference[both], values)[0, 1])
    return Placement(matrix, similarity, float(overlap), float(both.sum() / whole.sum()), _missing_part(whole & ~within, whole))


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
