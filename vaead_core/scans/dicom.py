"""A DICOM series as a volume: its slices put in order by where each says that it lies."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import SimpleITK as sitk
from nibabel import orientations

from vaead_core.errors import ScanError, refusing
from vaead_core.scans.dicom_series import Series, Slice, chosen_series, find_series
from vaead_core.scans.geometry import NativeSpace
from vaead_core.scans.nifti_file import check_grid, settle
from vaead_core.scans.volume import Array, Volume

_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])  # DICOM's axes point left and posterior
_SAME = 1e-3  # of direction cosines
_SHIFT_MM = 0.1  # by which a slice may lie off the line of the others
_GAP = 0.1  # of the distance between slices, by which one may be off


def read_dicom(folder: Path, name: str, series: str = "") -> Volume:
    """The series in a folder, turned to RAS+. series: its number or UID, where there are several.

    Refused, with one sentence: several series of which none is chosen, missing or doubled slices, slices of different
    directions or sizes, multi-frame files, colour, more voxels than MAX_VALUES_BYTES hold.
    """
    chosen = chosen_series(find_series(folder, name), series, name)
    slices = _in_order(chosen, name)
    first, last = slices[0], slices[-1]
    columns, rows, _ = first.size
    lps = np.eye(4)
    lps[:3, :2] = first.direction * first.spacing
    lps[:3, 2] = (last.place - first.place) / (len(slices) - 1)
    lps[:3, 3] = first.place
    affine = _LPS @ lps
    check_grid((columns, rows, len(slices)), affine, name)
    values = np.empty((columns, rows, len(slices)), np.float32)
    for k, one in enumerate(slices):
        values[:, :, k] = _pixels(one, name)
    notes = settle(values, name) + _unread_notes(chosen.unread)
    header = nib.Nifti1Header()
    header.set_data_shape(values.shape)
    header.set_sform(affine, 1)
    header.set_qform(affine, 1)
    header.set_xyzt_units("mm")
    to_ras = orientations.io_orientation(affine)
    ras = np.ascontiguousarray(orientations.apply_orientation(values, to_ras))
    turned = affine @ orientations.inv_ornt_aff(to_ras, values.shape)
    return Volume(ras, turned, name, NativeSpace(values.shape, header, to_ras), notes=notes)


def _unread_notes(unread: int) -> tuple[str, ...]:
    if not unread:
        return ()
    files = "1 DICOM file" if unread == 1 else f"{unread} DICOM files"
    return (f"{files} beside the series could not be read as an image; check that no slice is lost.",)


def _in_order(series: Series, name: str) -> list[Slice]:
    """Its slices along their common normal, each at its place. Raises ScanError where they are no regular stack."""
    slices = series.slices
    if any(one.size[2] > 1 for one in slices):
        raise ScanError(f"{name} is a multi-frame DICOM file, whose slices' places are not read; convert it to NIfTI first.")
    if len(slices) < 2:
        raise ScanError(f"{name} holds one slice; give the folder of a whole series.")
    first = slices[0]
    if any(one.size != first.size or not np.allclose(one.spacing, first.spacing, rtol=1e-3) for one in slices):
        raise ScanError(f"The slices of {name} differ in size; give one series of equal slices.")
    if not all(np.allclose(one.direction, first.direction, atol=_SAME) for one in slices):
        raise ScanError(f"The slices of {name} lie in different directions, as those of a localizer; give parallel ones.")
    cosines = first.direction.T @ first.direction
    if not np.allclose(cosines, np.eye(2), atol=_SAME):
        raise ScanError(f"The headers of {name} give rows and columns that are not at right angles; export the series again.")
    normal = np.cross(first.direction[:, 0], first.direction[:, 1])
    slices = tuple(sorted(slices, key=lambda one: float(one.place @ normal)))
    places = np.array([one.place for one in slices])
    steps = np.diff(places @ normal)
    usual = float(np.median(steps))
    if (steps < max(_GAP * usual, _SHIFT_MM / 10)).any():
        raise ScanError(f"{name} holds several images at one place; give a series of one volume.")
    if (steps > (1 + _GAP) * usual).any():
        lacking = int(np.rint(steps / usual - 1).clip(0).sum())
        raise ScanError(f"{name} lacks {lacking or 'some'} of its slices, {_gaps(steps, usual)}; copy the whole series.")
    line = places[0] + np.outer(np.arange(len(slices)), (places[-1] - places[0]) / (len(slices) - 1))
    if np.abs(places - line).max() > max(_SHIFT_MM, _GAP * usual):
        raise ScanError(f"The slices of {name} are not evenly spaced along a line; export the series again.")
    along = (places[-1] - places[0]) / np.linalg.norm(places[-1] - places[0])
    if along @ normal < 1 - _SAME:
        raise ScanError(f"The slices of {name} are shifted against each other, as of a tilted gantry; resample them first.")
    return list(slices)


def _gaps(steps: Array, usual: float) -> str:
    """Where slices are missing. steps: (n - 1,) mm from each slice to the next.

    >>> _gaps(np.array([1.0, 1.0, 2.0, 1.0]), 1.0)
    'the first after slice 3'
    """
    after = 1 + int(np.flatnonzero(steps > (1 + _GAP) * usual)[0])
    return f"the first after slice {after}"


def _pixels(one: Slice, name: str) -> Array:
    """(columns, rows) float32, rescaled as its header says. Raises ScanError."""
    damaged = ScanError(f"The image data of {name} is incomplete, damaged or packed in a way that is not read; export it again.")
    with refusing(damaged, RuntimeError):
        image = sitk.ReadImage(str(one.path), sitk.sitkUnknown, "GDCMImageIO")
    if image.GetNumberOfComponentsPerPixel() != 1:
        raise ScanError(f"{name} holds colour; give a series with one number a pixel.")
    with np.errstate(over="ignore"):  # what is too much for float32 is refused as not finite
        pixels = sitk.GetArrayFromImage(image).astype(np.float32)
    if pixels.size != one.size[0] * one.size[1]:
        raise damaged
    return pixels.reshape(one.size[1], one.size[0]).T
