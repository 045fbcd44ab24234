"""SRI24, the space every scan is brought to: T1 and tissue labels at 1 mm (see README.md for source and licence)."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.affines import apply_affine
from scipy import ndimage

from vaead_core.scans.volume import Array, Volume

CSF, GREY, WHITE = 1, 2, 3
_TISSUES = {CSF: "CSF", GREY: "grey matter", WHITE: "white matter"}
_MIDLINE_MM = 3.0  # what lies nearer to it is on neither side


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


def region(mm: Sequence[float]) -> str:
    """Side and tissue at a place (3,) of SRI24's world, R, A, S, as far as its labels tell: it has no finer ones that may ship.

    >>> [region((x, 100, 90)) for x in (-140, -118, -90)], region((0, 0, 0))
    (['left white matter', 'midline grey matter', 'right white matter'], 'outside the atlas')
    """
    at = np.rint(np.linalg.inv(t1().affine) @ [*mm, 1])[:3].astype(int)
    labels = tissues()
    if not ((at >= 0) & (at < labels.shape)).all() or not labels[tuple(at)]:
        return "outside the atlas"
    away = float(mm[0]) - _midline()
    side = "midline" if abs(away) < _MIDLINE_MM else "left" if away < 0 else "right"
    return f"{side} {_TISSUES[labels[tuple(at)]]}"


@lru_cache(maxsize=1)
def _midline() -> float:
    """Where the brain's halves meet, mm to the right."""
    return float(apply_affine(t1().affine, np.argwhere(brain_mask()).mean(0))[0])


def _read_only(data: Array) -> Array:
    data = np.ascontiguousarray(data)
    data.setflags(write=False)
    return data
