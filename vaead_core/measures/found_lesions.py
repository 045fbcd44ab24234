"""Which lesions a thresholded map finds, and how many parts it marks."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from vaead_core.scans.volume import Array

OVERLAP = 0.1  # of a lesion's voxels that are marked: it is found. Commowick et al. 2018, the overlap α of their detection
SMALLEST_ML = 0.05  # smaller components of truth or map do not count


def components(marked: Array, spacing_mm: float) -> tuple[Array, Array]:
    """Labels (I, J, K) int, 0 for none, and volumes (n,) in ml of the components of `marked` (I, J, K) bool.

    Voxels that share a face are one component; those below SMALLEST_ML are left out.
    """
    labels, count = ndimage.label(marked)
    volumes_ml = np.bincount(labels.ravel(), minlength=count + 1) * spacing_mm**3 / 1000
    volumes_ml[0] = 0
    kept = volumes_ml >= SMALLEST_ML
    renamed = np.where(kept, np.cumsum(kept), 0)
    return renamed[labels], volumes_ml[kept]


def found_lesions(marked: Array, labels: Array, count: int) -> Array:
    """(count,) bool: whether at least OVERLAP of the voxels of each lesion are marked. labels: 1 to count, 0 for none.

    >>> labels = np.repeat([1, 2], 20)
    >>> found_lesions(np.arange(40) < 3, labels, 2).tolist()
    [True, False]
    """
    inside = labels > 0
    whole = np.bincount(labels[inside], minlength=count + 1)[1:]
    hit = np.bincount(labels[inside & marked], minlength=count + 1)[1:]
    return hit >= OVERLAP * np.maximum(whole, 1)
