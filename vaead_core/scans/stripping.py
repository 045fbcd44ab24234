"""The brain of a whole head by deepbet's two networks (Fisch et al. 2024): one finds where it lies, the other its outline.

The steps are deepbet's own, without torch; `python -m training.brain_extraction` made the networks from its weights.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from scipy import ndimage

from vaead_core.computing.onnx_graph import OnnxGraph
from vaead_core.errors import ScanError
from vaead_core.scans.volume import Array, Volume

NETWORKS = Path(__file__).parent / "deepbet"
SIDES = {"where": 128, "outline": 256}  # voxels of each network's input, a cube whatever the scan's own shape
_RANGE = (0.005, 0.995)  # quantiles of intensity that the networks see
_LEAST_SHARE = 0.02  # of a plane that is brain, where the brain's box begins
_MARGIN = 0.1  # of the box, on each side
_TOUCHING = np.ones((3, 3, 3))  # voxels that share a corner are connected

Box = tuple[slice, slice, slice]


def strip(scan: Volume) -> Volume:
    """The scan with everything outside the brain set to 0, on the same grid. Raises ScanError when it finds no brain."""
    return only(brain_mask(scan), scan, "networks")


def only(brain: Array, scan: Volume, by: Literal["networks", "mask"]) -> Volume:
    """The scan without what lies outside `brain` (I, J, K) bool: 0 there, or its lowest value where that lies below 0."""
    outside = min(np.float32(0), scan.data.min())
    return replace(scan, data=np.where(brain, scan.data, outside), brain=brain, brain_by=by)


def brain_mask(scan: Volume) -> Array:
    """(I, J, K) bool: the brain of a T1-weighted scan, in one piece and without holes. Raises ScanError when it finds none."""
    small = stretched(scan.data, SIDES["where"])
    box = _with_margin(rough_brain(small, scan.name), scan.data.shape, scan.name)
    inside = _brain("outline", stretched(scan.data[box], SIDES["outline"]), _window(small, scan.name))
    mask = np.zeros(scan.data.shape, bool)
    held = _largest(stretched_to(inside, mask[box].shape), scan.name)
    mask[box] = ndimage.binary_fill_holes(held)
    return mask


def rough_brain(small: Array, name: str) -> Array:
    """(128, 128, 128) bool of a scan stretched to that size: about where the brain lies. Raises ScanError when nowhere."""
    return _largest(_brain("where", small, _window(small, name)), name)


def stretched(data: Array, side: int) -> Array:
    """(I, J, K) to a cube, the nearest voxel at each place.

    >>> stretched(np.arange(4).reshape(4, 1, 1), 2)[:, 0, 0].tolist()
    [1, 3]
    """
    return stretched_to(data, (side, side, side))


def stretched_to(data: Array, shape: tuple[int, ...]) -> Array:
    """(I, J, K) to another shape, the nearest voxel at each place."""
    steps = (np.float32(length) / np.float32(wanted) for length, wanted in zip(data.shape, shape, strict=True))
    places = [
        ((np.arange(wanted, dtype=np.float32) + np.float32(0.5)) * step).astype(int)
        for wanted, step in zip(shape, steps, strict=True)
    ]
    return data[np.ix_(*(np.minimum(at, length - 1) for at, length in zip(places, data.shape, strict=True)))]


def _window(small: Array, name: str) -> tuple[float, float]:
    """The intensities that are the networks' darkest and brightest."""
    low, high = np.quantile(small, _RANGE)
    if low == high:
        raise ScanError(_no_brain(name))
    return float(low), float(high)


def _brain(network: str, cube: Array, window: tuple[float, float]) -> Array:
    """What a network takes for brain in a cube of its size, bool. The graph goes with its memory, 400 MB, when it has run."""
    low, high = window
    shown = np.clip((cube - np.float32(low)) / np.float32(high - low), 0, 1)
    shown = 0.226 * (shown - shown.mean()) / shown.std(ddof=1) + 0.449
    graph = OnnxGraph((NETWORKS / f"{network}.onnx").read_bytes(), threads=1, device="cpu")
    (tissue,) = graph.run(shown[None, None], ("tissue",))
    return tissue[0, 1] > 0.5


def _largest(mask: Array, name: str) -> Array:
    """The largest piece of a mask."""
    labels, count = ndimage.label(mask, _TOUCHING)
    if count == 0:
        raise ScanError(_no_brain(name))
    return labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])


def _with_margin(small: Array, shape: tuple[int, ...], name: str) -> Box:
    """The box of a mask on the stretched grid, with a margin, on a grid of `shape`."""
    sides = []
    for axis, length in enumerate(shape):
        planes = np.flatnonzero(small.mean(tuple(other for other in range(3) if other != axis)) > _LEAST_SHARE)
        if not len(planes):
            raise ScanError(_no_brain(name))
        scale, first, end = length / small.shape[axis], planes[0], planes[-1] + 1
        centre, size = np.round(scale * (first + end) / 2), np.round((1 + 2 * _MARGIN) * scale * (end - first))
        sides.append(slice(max(0, int(centre - size / 2)), min(length, int(centre + size / 2))))
    return sides[0], sides[1], sides[2]


def _no_brain(name: str) -> str:
    return f"No brain was found in {name}; give a T1-weighted scan of a whole head, or of its brain alone."
