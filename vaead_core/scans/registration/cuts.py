"""Where a scan ends within the brain: nothing beyond such a side says anything of where the brain lies."""

from __future__ import annotations

import numpy as np
from nibabel.affines import from_matvec

from vaead_core.scans.volume import Array, Volume

_FLAT_SHARE = 0.2  # of the widest section; the outermost 2 mm of a whole brain hold at most 0.13 (54 healthy brains)
_OUTERMOST_MM = 2.0


def within_cuts(scan: Volume) -> Volume:
    """The scan without what lies beyond the flat sides of its brain; `scan` itself where it has none.

    >>> data = np.zeros((20, 20, 20), np.float32)
    >>> data[5:15, 8:12, 5:10] = data[8:12, 5:15, 5:10] = data[8:12, 8:12, :10] = 1
    >>> within_cuts(Volume(data, np.diag([2.0, 2, 2, 1]))).data.shape
    (20, 20, 10)
    """
    kept = [_kept(scan, axis) for axis in range(3)]
    if all(part == slice(0, size) for part, size in zip(kept, scan.data.shape, strict=True)):
        return scan
    i, j, k = kept
    affine = scan.affine @ from_matvec(np.eye(3), [part.start for part in kept])
    return Volume(scan.tissue[i, j, k], affine, scan.name, brain=scan.mask[i, j, k])


def _kept(scan: Volume, axis: int) -> slice:
    """Up to the brain's end where that is flat, else up to the array's."""
    areas = scan.mask.sum(axis=tuple(other for other in range(3) if other != axis))
    held, size = scan.box[axis], scan.data.shape[axis]
    layers = max(1, round(_OUTERMOST_MM / float(scan.spacing_mm[axis])))
    first = held.start if _is_flat(areas[held][:layers], areas) else 0
    last = held.stop if _is_flat(areas[held][-layers:], areas) else size
    return slice(first, last)


def _is_flat(outermost: Array, areas: Array) -> bool:
    return float(outermost.mean()) > _FLAT_SHARE * float(areas.max())
