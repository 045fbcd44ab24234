"""A DICOM series as a volume: its slices put in order by where each says that it lies. Nothing else of its headers is kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import SimpleITK as sitk
from nibabel import orientations

from vaead_core.errors import ScanError, refusing
from vaead_core.scans.dicom_elements import ends_within, has_preamble
from vaead_core.scans.geometry import NativeSpace
from vaead_core.scans.nifti_file import MAX_FILE_BYTES, check_grid, settle
from vaead_core.scans.volume import Array, Volume

MOST_FILES = 5000
_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])  # DICOM's axes point left and posterior
_SERIES, _NUMBER, _PLACE, _DIRECTION, _SPACING = "0020|000e", "0020|0011", "0020|0032", "0020|0037", "0028|0030"
_REPETITION, _ECHO = "0018|0080", "0018|0081"
_NO_UID = re.compile("[^0-9.]")
_SAME = 1e-3  # of direction cosines
_SHIFT_MM = 0.1  # by which a slice may lie off the line of the others
_GAP = 0.1  # of the distance between slices, by which one may be off


@dataclass(frozen=True)
class Slice:
    """One file. place: (3,) mm of its first pixel, direction: (3, 2) of its rows and columns, spacing: (2,) mm, LPS."""

    path: Path
    place: Array
    direction: Array
    spacing: Array
    size: tuple[int, int, int]


@dataclass(frozen=True)
class Series:
    """The files of one SeriesInstanceUID. number: what its scanner calls it, "" where it says none.

    timing: repetition and echo time as the scanner wrote them, which tell series apart and no patient.
    unread: DICOM files beside it that are damaged, or no images.

    >>> one = Slice(Path("1"), np.zeros(3), np.eye(3)[:, :2], np.ones(2), (256, 192, 1))
    >>> print(Series("1.2.840.1", "4", ", TR 2300 ms, TE 3 ms", (one, one)))
    series 4: 2 files of 256 × 192 pixels, TR 2300 ms, TE 3 ms
    """

    uid: str
    number: str
    timing: str
    slices: tuple[Slice, ...]
    unread: int = 0

    def __str__(self) -> str:
        columns, rows, _ = self.slices[0].size
        called = f"series {self.number}" if self.number else "a series without a number"
        return f"{called}: {len(self.slices)} files of {columns} × {rows} pixels{self.timing}"


class SeveralSeriesError(ScanError):
    """More than one series, of which one must be chosen."""

    def __init__(self, sentence: str, series: tuple[Series, ...]) -> None:
        super().__init__(sentence)
        self.series = series


def find_series(folder: Path, name: str) -> tuple[Series, ...]:
    """The series of images in a folder and below it, by number. Raises ScanError where there is none, or far too many files."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    if len(files) > MOST_FILES:
        raise ScanError(f"{name} holds {len(files)} files; give the folder of one series, of at most {MOST_FILES}.")
    found: dict[tuple[str, str], list[Slice]] = {}
    timing: dict[tuple[str, str], str] = {}
    unread = 0
    for path in files:
        content = path.read_bytes() if path.stat().st_size <= MAX_FILE_BYTES else b""
        reader = _header(path) if ends_within(content) else None
        one = _slice(path, reader) if reader else None
        if reader is None or one is None:
            unread += has_preamble(content)
            continue
        key = _text(reader, _SERIES), _whole_number(_text(reader, _NUMBER))
        found.setdefault(key, []).append(one)
        timing.setdefault(key, _timing(reader))
    if not found:
        raise ScanError(
            f"{name} holds no DICOM image that says where it lies; give the folder of a series, a .zip of it, or a NIfTI file."
        )
    series = [Series(uid, number, timing[uid, number], tuple(slices), unread) for (uid, number), slices in found.items()]
    return tuple(sorted(series, key=lambda one: (int(one.number) if one.number.isdecimal() else 1 << 31, one.uid)))


def read_dicom(folder: Path, name: str, series: str = "") -> Volume:
    """The series in a folder, turned to RAS+. series: its number or UID, where there are several.

    Refused, with one sentence: several series of which none is chosen, missing or doubled slices, slices of different
    directions or sizes, multi-frame files, colour, more voxels than MAX_VALUES_BYTES hold.
    """
    chosen = _chosen(find_series(folder, name), series, name)
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


def _header(path: Path) -> sitk.ImageFileReader | None:
    """What a file says of itself; None for one that is no DICOM image."""
    reader = sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError:
        return None
    return reader


def _unread_notes(unread: int) -> tuple[str, ...]:
    if not unread:
        return ()
    files = "1 DICOM file" if unread == 1 else f"{unread} DICOM files"
    return (f"{files} beside the series could not be read as an image; check that no slice is lost.",)


def _slice(path: Path, reader: sitk.ImageFileReader) -> Slice | None:
    """None for one that does not say where it lies; a multi-frame file says it elsewhere."""
    columns, rows, frames = (*reader.GetSize(), 1)[:3]
    place, cosines, spacing = (_numbers(reader, key, count) for key, count in ((_PLACE, 3), (_DIRECTION, 6), (_SPACING, 2)))
    if frames == 1 and not all(np.isfinite(found).all() for found in (place, cosines, spacing)):
        return None
    return Slice(path, place, cosines.reshape(2, 3).T, spacing[::-1], (columns, rows, frames))


def _numbers(reader: sitk.ImageFileReader, key: str, count: int) -> Array:
    """The numbers of a header's field, NaN where they are not so many."""
    with np.errstate(all="ignore"):
        try:
            found = np.array([float(part) for part in _text(reader, key).split("\\")])
        except ValueError:
            found = np.empty(0)
    return found if found.size == count else np.full(count, np.nan)


def _text(reader: sitk.ImageFileReader, key: str) -> str:
    return reader.GetMetaData(key).strip(" \0") if reader.HasMetaDataKey(key) else ""


def _whole_number(text: str) -> str:
    """As the standard has it (PS3.5, IS); "" for what may be anything, a patient's name among it."""
    return text if re.fullmatch(r"[+-]?[0-9]{1,11}", text) else ""


def _timing(reader: sitk.ImageFileReader) -> str:
    times = [float(_numbers(reader, key, 1)[0]) for key in (_REPETITION, _ECHO)]
    return f", TR {times[0]:g} ms, TE {times[1]:g} ms" if np.isfinite(times).all() else ""


def worth_choosing(series: tuple[Series, ...]) -> tuple[Series, ...]:
    """Those of more than one file; single pictures only where there is nothing else."""
    return tuple(one for one in series if len(one.slices) > 1) or series


def _chosen(series: tuple[Series, ...], wanted: str, name: str) -> Series:
    """The series that is asked for, or the only one of more than one file."""
    fitting = [one for one in series if wanted in (one.number, one.uid)] if wanted else list(worth_choosing(series))
    if len(fitting) == 1:
        return fitting[0]
    shown = fitting or series
    apart = len({one.number for one in shown} - {""}) == len(shown)
    listed = "; ".join(str(one) if apart else f"{one}, UID {_NO_UID.sub('?', one.uid)}" for one in shown)
    if not fitting:
        raise SeveralSeriesError(f"{name} has no such series; it holds {listed}.", series)
    by = "number" if apart else "UID"
    raise SeveralSeriesError(f"{name} holds several series; choose one by its {by}. It holds {listed}.", tuple(fitting))


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
