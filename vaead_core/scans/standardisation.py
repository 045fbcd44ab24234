"""A scan's intensities made those of other scanners' scans: the receiver's field taken out, tissues given standard values.

What is done here to a scan is done to the brains that a network is trained on and that it is judged against.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from vaead_core.errors import ScanError
from vaead_core.scans import atlas
from vaead_core.scans.bias import bias_field
from vaead_core.scans.geometry import AffineToAtlas
from vaead_core.scans.intensity import IntensityScale
from vaead_core.scans.registration import atlas_grid, to_atlas
from vaead_core.scans.volume import Array, Volume

CLIP_SD = 3.0
TISSUES = (atlas.CSF, atlas.GREY, atlas.WHITE)
STANDARD = (-0.184, 0.064, 0.296)  # of CSF, grey and white matter: mean of IXI's training brains, N4 and then z-scored / 3
_OUTLYING = 3.0  # robust deviations of a tissue's voxels from its median: not followed by the field
_LEAST_STEP = 0.02  # between two tissues' medians, of the whole span: less is no T1 contrast


def z_scale(values: Array) -> IntensityScale:
    """Mean 0, CLIP_SD standard deviations 1. values: (n,) of the brain, not constant.

    >>> z_scale(np.array([1.0, 3.0]))
    IntensityScale(own=(2.0, 5.0), network=(0.0, 1.0))
    """
    mean, spread = float(values.mean()), float(values.std())
    return IntensityScale((mean, mean + CLIP_SD * spread), (0.0, 1.0))


def tissue_scale(values: Array, mask: Array, spacing_mm: int, name: str) -> IntensityScale:
    """CSF, grey and white matter at STANDARD, by the median of each in the atlas's labels: a lesion hardly moves it.

    values, mask: (I, J, K) on the atlas grid. Raises ScanError where the medians do not rise as in a T1.
    """
    labels = tissues_on(spacing_mm) * mask
    medians = tuple(float(np.median(values[labels == tissue])) for tissue in TISSUES)
    if np.diff(medians).min() <= _LEAST_STEP * abs(medians[-1] - medians[0]):
        raise ScanError(
            f"In {name} grey matter is not brighter than fluid and darker than white matter, as in a T1; give a T1-weighted scan."
        )
    return IntensityScale(medians, STANDARD)


def field_on_atlas(values: Array, mask: Array, spacing_mm: int, name: str) -> Array:
    """(I, J, K) float32: the receiver's field over the brain by N4, mean 1 there; it does not follow what is unlike its tissue.

    values, mask: (I, J, K) on the atlas grid, 0 outside the brain. Raises ScanError where N4 finds none.
    """
    whole = Volume(values * mask, atlas_grid(spacing_mm).affine, name, brain=mask)
    even, labels = values / bias_field(whole), tissues_on(spacing_mm) * mask
    usual = mask & (labels > 0)
    for tissue in TISSUES:
        of = even[labels == tissue]
        middle = np.median(of)
        spread = 1.4826 * np.median(np.abs(of - middle))
        usual &= (labels != tissue) | (np.abs(even - middle) <= _OUTLYING * spread)
    return bias_field(whole, usual)


@lru_cache(maxsize=2)
def tissues_on(spacing_mm: int) -> Array:
    """(I, J, K) uint8: the atlas's labels, TISSUES among them, on its grid."""
    labels, straight = atlas.tissues().astype(np.float32), AffineToAtlas(np.eye(4))
    return to_atlas(labels, atlas.t1(), straight, atlas_grid(spacing_mm), nearest=True).astype(np.uint8)
