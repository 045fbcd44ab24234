"""What of a scan is tissue: the constant around it is found at the array's border, whatever its value; holes are filled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

_LEAST_SHARE = 0.5  # of the border's voxels; a brain that the field of view cuts reaches the border too
_TOLERANCE = 1e-6  # of the background: what resampling in float32 does to a constant
_LEAST_DARKER = 0.05  # of the brain's voxels; fewer lie below the background by resampling and noise
_DARKEST = 0.1  # percentile


@dataclass(frozen=True)
class Foreground:
    """mask: (I, J, K) bool, tissue and what it encloses. background: the value outside, None where there is no constant.

    darker: share of the tissue below the background. floor: what is dark in this scan: the background, or, where the
    background lies within the brain's range of values (scans scaled to mean 0), the brain's darkest.
    """

    mask: np.ndarray
    background: float | None
    darker: float
    floor: float


def foreground(data: np.ndarray) -> Foreground:
    """The tissue in `data` (I, J, K), finite.

    The background is the commonest value of the array's faces, where it fills at least half of them; what equals it and
    is joined to the border lies outside. A cavity of that value within the brain is tissue.

    >>> scan = np.full((5, 5, 5), -1.0)
    >>> scan[1:4, 1:4, 1:4] = np.arange(27).reshape(3, 3, 3)
    >>> scan[2, 2, 2] = -1  # a cavity
    >>> found = foreground(scan)
    >>> found.background, found.floor, int(found.mask.sum())
    (-1.0, -1.0, 27)
    """
    background = border_value(border(data))
    if background is None:
        return Foreground(np.ones(data.shape, bool), None, 0.0, float(data.min()))
    mask = with_holes_filled(~_is(background, data))
    values = data[mask]
    darker = float((values < background).mean()) if values.size else 0.0
    floor = background if darker < _LEAST_DARKER else float(np.percentile(values, _DARKEST))
    return Foreground(mask, background, darker, floor)


def with_holes_filled(mask: np.ndarray) -> np.ndarray:
    """`mask` (I, J, K) and all that it encloses: what no path through faces joins to the array's border.

    Sought in the mask's box, half the array or less, as what reaches its sides goes on beyond them to the border.
    """
    filled = mask.copy()
    for box in ndimage.find_objects(mask.astype(np.uint8)):  # one, or none of an empty mask
        inside = sitk.GetImageFromArray(mask[box].astype(np.uint8))
        filled[box] = sitk.GetArrayFromImage(sitk.BinaryFillhole(inside)).astype(bool)
    return filled


def border(data: np.ndarray) -> np.ndarray:
    """(N,) the values on the six faces of `data` (I, J, K); edges and corners count more than once."""
    faces = [np.take(data, at, axis).ravel() for axis in range(3) for at in (0, -1)]
    return np.concatenate(faces)


def border_value(faces: np.ndarray) -> float | None:
    """The commonest of a border's values, where it fills at least half of it."""
    values, counts = np.unique(faces, return_counts=True)
    commonest = values[counts.argmax()]
    return float(commonest) if _is(commonest, faces).mean() >= _LEAST_SHARE else None


def _is(background: float, data: np.ndarray) -> np.ndarray:
    return np.abs(data - np.float32(background)) <= _TOLERANCE * abs(background)
