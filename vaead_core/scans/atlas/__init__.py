"""SRI24, the space every scan is brought to: T1 and tissue labels at 1 mm (see README.md for source and licence)."""

from functools import lru_cache
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy import ndimage

from vaead_core.scans.volume import Array, Volume

CSF, GREY, WHITE = 1, 2, 3


@lru_cache(maxsize=1)
def t1() -> Volume:
    """The skull-stripped T1, (240, 240, 155) at 1 mm, RAS+; read-only.

    >>> t1().data.shape, t1().spacing_mm.tolist()
    ((240, 240, 155), [1.0, 1.0, 1.0])
    """
    image = nib.as_closest_canonical(nib.load(Path(__file__).parent / "t1_stripped.nii.gz"))
    return Volume(_read_only(np.asarray(image.dataobj, np.float32).squeeze()), image.affine, "SRI24")


@lru_cache(maxsize=1)
def tissues() -> Array:
    """(240, 240, 155) uint8 on the T1's voxels: 0 background, 1 CSF, 2 grey matter, 3 white matter; read-only."""
    image = nib.as_closest_canonical(nib.load(Path(__file__).parent / "tissues.nii.gz"))
    return _read_only(np.asarray(image.dataobj).squeeze().astype(np.uint8))


@lru_cache(maxsize=1)
def brain_mask() -> Array:
    """(240, 240, 155) bool: voxels with T1 signal, holes filled; read-only."""
    return _read_only(ndimage.binary_fill_holes(t1().data > 0))


def _read_only(data: Array) -> Array:
    data = np.ascontiguousarray(data)
    data.setflags(write=False)
    return data
