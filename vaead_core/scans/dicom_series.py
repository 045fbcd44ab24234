"""The series of DICOM images that a folder holds, and which of them is meant. Nothing else of their headers is kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from vaead_core.errors import ScanError, quoted
from vaead_core.scans.dicom_elements import ends_within, has_preamble
from vaead_core.scans.nifti_file import MAX_FILE_BYTES
from vaead_core.scans.volume import Array

MOST_FILES = 5000
_SERIES, _NUMBER, _PLACE, _DIRECTION, _SPACING = "0020|000e", "0020|0011", "0020|0032", "0020|0037", "0028|0030"
_REPETITION, _ECHO = "0018|0080", "0018|0081"
_INDEX = "DICOMDIR"  # of a disk; no image


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
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".") and path.name != _INDEX)
    if len(files) > MOST_FILES:
        raise ScanError(f"{name} holds {len(files)} files; give the folder of one series, of at most {MOST_FILES}.")
    found: dict[tuple[str, str], list[Slice]] = {}
    timing: dict[tuple[str, str], str] = {}
    unread = 0
    for path in files:
        content = path.read_bytes() if path.stat().st_size <= MAX_FILE_BYTES else b""
        reader = header(path) if ends_within(content) else None
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


def header(path: Path) -> sitk.ImageFileReader | None:
    """What a file says of itself; None for one that is no DICOM image."""
    reader = sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError:
        return None
    return reader


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


def chosen_series(series: tuple[Series, ...], wanted: str, name: str) -> Series:
    """The series that is asked for, or the only one of more than one file."""
    fitting = [one for one in series if wanted in (one.number, one.uid)] if wanted else list(worth_choosing(series))
    if len(fitting) == 1:
        return fitting[0]
    shown = fitting or series
    apart = len({one.number for one in shown} - {""}) == len(shown)
    listed = "; ".join(str(one) if apart else f"{one}, UID {_shown(one.uid)}" for one in shown)
    if not fitting:
        raise SeveralSeriesError(f"{name} has no such series; it holds {listed}.", series)
    by = "number" if apart else "UID"
    raise SeveralSeriesError(f"{name} holds several series; choose one by its {by}. It holds {listed}.", tuple(fitting))


def _shown(uid: str) -> str:
    """Whole where it is one (PS3.5, UI), else its beginning: what stands there may be anything, a patient's name among it."""
    return uid if re.fullmatch(r"[0-9.]{1,64}", uid) else quoted(re.sub("[^0-9.]", "?", uid), 16)
