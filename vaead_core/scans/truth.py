"""The truth to a scan, from a file: a lesion mask or label map, brought onto the scan's grid by world coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vaead_core.scans.masks import read_mask
from vaead_core.scans.volume import Array, Volume


@dataclass(frozen=True)
class Truth:
    """marked: (I, J, K) bool on the scan's RAS+ grid, within its brain. notes: how the file was read, in plain sentences."""

    marked: Array
    notes: tuple[str, ...] = field(default=())


def read_truth(source: Path | bytes, scan: Volume, name: str | None = None, labels: Sequence[int] = ()) -> Truth:
    """The mask in a NIfTI file, for `scan`. An empty one is a truth too: nothing is marked.

    labels: those of a label map that count; all by default. What lies outside the brain is left out. A mask on another
    grid is resampled by the two files' world coordinates. Raises ScanError for one that does not lie on this brain.

    >>> import numpy as np
    >>> from vaead_core.scans.nifti import map_to_nifti
    >>> scan = Volume(np.pad(np.ones((2, 2, 2), np.float32), 1), np.eye(4))
    >>> mask = np.zeros((4, 4, 4), np.float32)
    >>> mask[1, 1, 1], mask[2, 1, 1] = 1, 2
    >>> said = read_truth(map_to_nifti(mask, Volume(mask, np.eye(4))), scan, "lesions.nii.gz")
    >>> int(said.marked.sum()), said.notes
    (2, ('lesions.nii.gz has the labels 1, 2; all of them count.',))
    """
    mask = read_mask(source, name, labels)
    moved, said = mask.on(scan)
    marked, notes = moved & scan.mask, (*mask.notes, *said)
    if not mask.counted.any():
        return Truth(marked, (*notes, f"{mask.name} marks nothing, so recall and AP are undefined."))
    share = mask.share_inside(scan, marked, f"the brain of {scan.name}")
    if share < 0.99:
        notes += (f"{100 * (1 - share):.0f} % of {mask.name} lies outside the brain and does not count.",)
    return Truth(marked, notes)
