"""The truth to a scan, from a file: a lesion mask or label map, brought onto the scan's grid by world coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vaead_core.errors import ScanError
from vaead_core.scans.geometry import AffineToAtlas, Grid
from vaead_core.scans.nifti import read_nifti
from vaead_core.scans.registration import to_atlas
from vaead_core.scans.volume import Array, Volume

MOST_LABELS = 50  # whole numbers of a label map; more are a picture
_SAME_MM = 0.01  # corners of two grids this near are one grid
_LEAST_INSIDE = 0.5  # of a mask's volume within the scan, or its brain, that it was drawn on


@dataclass(frozen=True)
class Truth:
    """marked: (I, J, K) bool on the scan's RAS+ grid, within its brain. notes: how the file was read, in plain sentences."""

    marked: Array
    notes: tuple[str, ...] = field(default=())


def read_truth(source: Path | bytes, scan: Volume, name: str | None = None, labels: Sequence[int] = ()) -> Truth:
    """The mask in a NIfTI file, for `scan`. An empty one is a truth too: nothing is marked.

    labels: those of a label map that count; all by default. What lies outside the brain is left out. A mask on another
    grid is resampled by the two files' world coordinates. Raises ScanError for one that does not lie on this brain.

    >>> from vaead_core.scans.nifti import map_to_nifti
    >>> scan = Volume(np.pad(np.ones((2, 2, 2), np.float32), 1), np.eye(4))
    >>> mask = np.zeros((4, 4, 4), np.float32)
    >>> mask[1, 1, 1], mask[2, 1, 1] = 1, 2
    >>> said = read_truth(map_to_nifti(mask, Volume(mask, np.eye(4))), scan, "lesions.nii.gz")
    >>> int(said.marked.sum()), said.notes
    (2, ('lesions.nii.gz has the labels 1, 2; all of them count.',))
    """
    mask = read_mask(source, name)
    chosen, notes = _chosen(mask, labels)
    if _same_grid(mask, scan):
        moved = chosen
    else:
        moved = on_grid_of(scan, mask, chosen)
        notes += (f"{mask.name} has another grid than the scan; it was resampled by the world coordinates of both.",)
    marked = moved & scan.mask
    if not chosen.any():
        return Truth(marked, (*notes, f"{mask.name} marks nothing, so recall and AP are undefined."))
    share = share_inside(mask, chosen, scan, marked, f"the brain of {scan.name}")
    if share < 0.99:
        notes += (f"{100 * (1 - share):.0f} % of {mask.name} lies outside the brain and does not count.",)
    return Truth(marked, notes)


def labels_in(source: Path | bytes, name: str | None = None) -> tuple[int, ...]:
    """The labels of a label map, rising, where there are several to choose from; else (). Raises ScanError.

    >>> from vaead_core.scans.nifti import map_to_nifti
    >>> labels = np.array([0, 2, 4, 4, 0, 0, 2, 4], np.float32).reshape(2, 2, 2)
    >>> labels_in(map_to_nifti(labels, Volume(labels, np.eye(4))))
    (2, 4)
    """
    present = _labels(np.unique(read_mask(source, name).data))
    return present if 1 < len(present) <= MOST_LABELS else ()


def read_mask(source: Path | bytes, name: str | None = None) -> Volume:
    """A mask's file as a volume; one constant value, as in an empty mask, is no fault here. Raises ScanError."""
    return read_nifti(source, name, constant=True)


def share_inside(mask: Volume, chosen: Array, scan: Volume, found: Array, place: str) -> float:
    """The volume of the scan's `found` voxels over that of the mask's `chosen` ones. Raises ScanError for less than a half.

    place: where they were found, for its sentence.
    """
    share = float(found.sum()) * scan.voxel_ml / (float(chosen.sum()) * mask.voxel_ml)
    if share < _LEAST_INSIDE:
        raise ScanError(
            f"{100 * share:.0f} % of {mask.name} lies in {place}; give a mask drawn on this scan, "
            "with the same place in its header."
        )
    return share


def on_grid_of(scan: Volume, mask: Volume, chosen: Array) -> Array:
    """(I, J, K) bool on the scan's grid: at least half of the voxel lies in `chosen` (bool, on the mask's grid)."""
    grid = Grid(scan.data.shape, scan.affine)
    return to_atlas(chosen.astype(np.float32), mask, AffineToAtlas(np.eye(4)), grid) >= 0.5


def _same_grid(mask: Volume, scan: Volume) -> bool:
    if mask.data.shape != scan.data.shape:
        return False
    corners = np.array([[i, j, k, 1] for i in (0, 1) for j in (0, 1) for k in (0, 1)]) * [*scan.data.shape, 1]
    return bool(np.abs((mask.affine - scan.affine) @ corners.T).max() < _SAME_MM)


def _chosen(mask: Volume, labels: Sequence[int]) -> tuple[Array, tuple[str, ...]]:
    """What counts of a mask's values, and what to say of it."""
    values = np.unique(mask.data)
    if values[0] < 0:
        raise ScanError(f"{mask.name} has values below 0; give a mask, 0 outside the lesion, or a label map.")
    present = _labels(values)
    if labels:
        return _of_labels(mask, present, labels)
    if len(present) == 1 or values[-1] == 0:
        return mask.data > 0, ()
    if 1 < len(present) <= MOST_LABELS:
        return mask.data > 0, (f"{mask.name} has the labels {_listed(present)}; all of them count.",)
    if values[-1] <= 1:
        return mask.data > 0.5, (f"{mask.name} has values between 0 and 1; those above 0.5 count.",)
    raise ScanError(f"{mask.name} has {len(values)} different values up to {values[-1]:.6g}, as a picture has; give a mask.")


def _labels(values: Array) -> tuple[int, ...]:
    """Those above 0 of the rising `values`; () where not all are whole numbers from 0 on."""
    if values[0] < 0 or (values != np.rint(values)).any():
        return ()
    return tuple(int(value) for value in values if value)


def _of_labels(mask: Volume, present: Sequence[int], labels: Sequence[int]) -> tuple[Array, tuple[str, ...]]:
    missing = sorted(set(labels) - set(present))
    if missing:
        held = f"it has {_listed(present)}" if present else "it has no labels"
        raise ScanError(f"{mask.name} lacks the label {missing[0]}; {held}.")
    return np.isin(mask.data, labels), (f"Of {mask.name}, the labels {_listed(sorted(labels))} count.",)


def _listed(labels: Sequence[int]) -> str:
    return ", ".join(map(str, labels))
