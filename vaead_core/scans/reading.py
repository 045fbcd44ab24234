"""A scan in whatever form it comes: a NIfTI file, a DICOM series in a folder, or one in a .zip."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vaead_core.computing.archives import content_of, open_zip
from vaead_core.errors import ScanError
from vaead_core.scans.dicom import read_dicom
from vaead_core.scans.dicom_elements import has_preamble
from vaead_core.scans.dicom_series import MOST_FILES, Series, find_series
from vaead_core.scans.nifti import read_nifti
from vaead_core.scans.nifti_file import MAX_FILE_BYTES, read_file
from vaead_core.scans.volume import Volume

_ZIP = b"PK"
_WHOLE = "the folder of a DICOM series"


def read_scan(source: Path | bytes, name: str | None = None, series: str = "", scratch: Path | None = None) -> Volume:
    """A scan from a file, a folder, or a file's content. Raises ScanError, as `read_nifti` and `read_dicom` do.

    series: number or UID of a DICOM series, where there are several. scratch: where a .zip is unpacked for as long as it is
    read; by itself the system's folder for temporary files.

    >>> read_scan(b"a letter", "letter.txt")
    Traceback (most recent call last):
    vaead_core.errors.ScanError: letter.txt is not a NIfTI file; vaead reads .nii and .nii.gz (NIfTI-1 or NIfTI-2).
    """
    if isinstance(source, Path) and source.is_dir():
        return read_dicom(source, name or source.resolve().name, series)
    called = name or (source.name if isinstance(source, Path) else "scan.nii")
    content = read_file(source, called) if isinstance(source, Path) else source
    if has_preamble(content):
        raise ScanError(f"{called} is one file of a DICOM series; give its folder, or a .zip of that.")
    if not is_zip(content):
        return read_nifti(content, called)
    with _unzipped(content, called, scratch) as folder:
        return read_dicom(folder, called, series)


def is_zip(content: bytes) -> bool:
    """Whether a file's content begins as a .zip does."""
    return content[:2] == _ZIP


def series_in(content: bytes, name: str, scratch: Path | None = None) -> tuple[Series, ...]:
    """The DICOM series in a .zip. Raises ScanError."""
    with _unzipped(content, name, scratch) as folder:
        return find_series(folder, name)


@contextmanager
def _unzipped(content: bytes, name: str, scratch: Path | None) -> Iterator[Path]:
    """A folder of its files, numbered: what they are called, which can be a patient, goes nowhere. It goes with the context."""
    archive = open_zip(content, name, MOST_FILES, MAX_FILE_BYTES, ScanError, _WHOLE)
    with tempfile.TemporaryDirectory(prefix="vaead-series-", dir=scratch) as folder:
        left = MAX_FILE_BYTES
        for number, entry in enumerate(archive.infolist()):
            if entry.is_dir() or entry.filename.startswith("__MACOSX/"):
                continue
            held = content_of(archive, entry, left, f"A file in {name}", ScanError)
            left -= len(held)
            (Path(folder) / f"{number:05}").write_bytes(held)
        yield Path(folder)
