"""A mask's file: which of its values count, and where on a scan they lie. A truth and a brain's mask are read alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vaead_core.errors import ScanError
from vaead_core.scans.geometry import AffineToAtlas, Grid
from vaead_core.scans.nifti import read_nifti
from vaead_core.scans.registration import to_atlas
from vaead_core.scans.volume import Array, Volume

MOST_LABELS = 50  # whole numbers of a label map; more are a picture
_OVERSHOOT = 0.25  # what interpolation adds below 0 and above 1
_SAME_MM = 0.01  # corners of two grids this near are one grid
_LEAST_INSIDE = 0.5  # of a mask's volume within the scan, or its brain, that it was drawn on


@dataclass(frozen=True)
class Mask:
    """A mask as its file holds it. counted: (I, J, K) bool on its own RAS+ grid. notes: how it was read, in plain sentences."""

    volume: Volume
    counted: Array
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.volume.name

    def lies_on(self, scan: Volume) -> bool:
        """Whether its grid is the scan's."""
        return _same_grid(self.volume, scan)

    def on(self, scan: Volume) -> tuple[Array, tuple[str, ...]]:
        """(I, J, K) bool on the scan's grid, where at least half of a voxel counts, and what to say of another grid."""
        if self.lies_on(scan):
            return self.counted, ()
        grid = Grid(scan.data.shape, scan.affine)
        moved = to_atlas(self.counted.astype(np.float32), self.volume, AffineToAtlas(np.eye(4)), grid) >= 0.5
        return moved, (f"{self.name} has another grid than the scan; it was resampled by the world coordinates of both.",)

    def share_inside(self, scan: Volume, found: Array, place: str) -> float:
        """The volume of the scan's `found` voxels over that of the counted ones. Raises ScanError for less than a half.

        place: where they were found, for its sentence.
        """
        share = float(found.sum()) * scan.voxel_ml / (float(self.counted.sum()) * self.volume.voxel_ml)
        if share < _LEAST_INSIDE:
            raise ScanError(
                f"{100 * share:.0f} % of {self.name} lies in {place}; give a mask drawn on this scan, "
                "with the same place in its header."
            )
        return share


def read_mask(source: Path | bytes, name: str | None = None, labels: Sequence[int] = ()) -> Mask:
    """A mask, which may be empty, or a label map. Raises ScanError for a picture.

    labels: those of a label map that count; all by default. Of values between 0 and 1 those above one half count.

    >>> from vaead_core.scans.nifti import map_to_nifti
    >>> shares = np.array([0, 0.2, 0.6, 1.02, 0, 0, 0, -0.01], np.float32).reshape(2, 2, 2)
    >>> read = read_mask(map_to_nifti(shares, Volume(shares, np.eye(4))), "smoothed.nii")
    >>> int(read.counted.sum()), read.notes
    (2, ('smoothed.nii has values between 0 and 1; those above 0.5 count.',))
    """
    mask = read_nifti(source, name, constant=True)
    return Mask(mask, *_counted(mask, labels))


def labels_in(source: Path | bytes, name: str | None = None) -> tuple[int, ...]:
    """The labels of a label map, rising, where there are several to choose from; else (). Raises ScanError.

    >>> from vaead_core.scans.nifti import map_to_nifti
    >>> labels = np.array([0, 2, 4, 4, 0, 0, 2, 4], np.float32).reshape(2, 2, 2)
    >>> labels_in(map_to_nifti(labels, Volume(labels, np.eye(4))))
    (2, 4)
    """
    present = _labels(np.unique(read_nifti(source, name, constant=True).data))
    return present if 1 < len(present) <= MOST_LABELS else ()


def _same_grid(mask: Volume, scan: Volume) -> bool:
    if mask.data.shape != scan.data.shape:
        return False
    corners = np.array([[i, j, k, 1] for i in (0, 1) for j in (0, 1) for k in (0, 1)]) * [*scan.data.shape, 1]
    return bool(np.abs((mask.affine - scan.affine) @ corners.T).max() < _SAME_MM)


def _counted(mask: Volume, labels: Sequence[int]) -> tuple[Array, tuple[str, ...]]:
    """What counts of a mask's values, and what to say of it."""
    values = np.unique(mask.data)
    present = _labels(values)
    if labels:
        return _of_labels(mask, present, labels)
    if values[0] >= 0 and np.count_nonzero(values) <= 1:
        return mask.data > 0, ()
    if 1 < len(present) <= MOST_LABELS:
        return mask.data > 0, (f"{mask.name} has the labels {_listed(present)}; all of them count.",)
    if values[0] > -_OVERSHOOT and values[-1] < 1 + _OVERSHOOT:
        return mask.data > 0.5, (f"{mask.name} has values between 0 and 1; those above 0.5 count.",)
    if values[0] < 0:
        raise ScanError(f"{mask.name} has values below 0; give a mask, 0 outside of what it marks, or a label map.")
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
