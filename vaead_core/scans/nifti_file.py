"""The header and the values in a NIfTI file, read within bounds: no more is unpacked than the header announces."""

from __future__ import annotations

import gzip
import io
import logging
import math
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.volumeutils import apply_read_scaling

from vaead_core.errors import ScanError, refusing
from vaead_core.scans.foreground import border, border_value, with_holes_filled
from vaead_core.scans.volume import Array

MAX_VALUES_BYTES = 256 << 20  # of a scan as float32: 512 × 512 × 256 voxels
MAX_FILE_BYTES = 1 << 30  # as stored
SMALLEST_VOXEL_MM, LARGEST_VOXEL_MM = 0.05, 20.0
LARGEST_VALUE = 1e15  # the sum of its squares over any brain stays finite in float32
_OFFSET_BYTES = 16 << 20  # header extensions before the values
_MORE_BYTES = 1 << 20  # what may follow the values
_PIECES = 100_000  # gzip members of one file; bgzip makes one for each 64 KB
_CHUNK_BYTES = 4 << 20
_UNITS = {1: ("metres", 1000.0), 3: ("microns", 0.001)}  # NIfTI's codes; 2 is mm, and 0 is taken so
_HEADERS = {348: nib.Nifti1Header, 540: nib.Nifti2Header}
_OF_PAIRS = (b"ni1", b"ni2")  # the magic of .hdr files beside an .img
_SILENT = logging.Logger("nifti headers")  # nibabel would log what a damaged header holds
_SILENT.disabled = True


@dataclass(frozen=True)
class NiftiFile:
    """values: (I, J, K) float32 in the file's own order, finite. affine: (4, 4) their indices to world mm, RAS+.

    notes: plain sentences on what was taken otherwise than it stands in the file.
    """

    header: nib.Nifti1Header
    affine: Array
    values: Array
    notes: tuple[str, ...] = ()


def read_file(source: Path, name: str, most_bytes: int = MAX_FILE_BYTES) -> bytes:
    """What a file holds. Raises ScanError when it cannot be opened or is larger than `most_bytes`."""
    try:
        with source.open("rb") as file:
            content = file.read(most_bytes + 1)
    except OSError as error:
        raise ScanError(f"{name} cannot be opened ({error.strerror}); check the path.") from error
    if len(content) > most_bytes:
        raise ScanError(f"{name} holds more than {most_bytes >> 20} MB; crop or resample it first.")
    return content


def open_nifti(content: bytes, name: str, constant: bool = False) -> NiftiFile:
    """Raises ScanError with one plain sentence, and before much is unpacked. constant: one value throughout is let through.

    >>> open_nifti(b"a letter", "letter.txt")
    Traceback (most recent call last):
    vaead_core.errors.ScanError: letter.txt is not a NIfTI file; vaead reads .nii and .nii.gz (NIfTI-1 or NIfTI-2).
    """
    zipped = content[:2] == b"\x1f\x8b"
    if zipped and content.count(b"\x1f\x8b\x08") > _PIECES:
        raise ScanError(f"{name} was zipped in more than {_PIECES} pieces; zip it again as one.")
    cut_off = ScanError(f"{name} is a damaged or cut-off gzip file; copy or download it again.")
    opened = gzip.GzipFile(fileobj=io.BytesIO(content)) if zipped else io.BytesIO(content)
    with refusing(cut_off, EOFError, OSError, zlib.error), opened as stream:
        block = stream.read(540)
        header, stored, said = _header(block, name)
        affine, notes = in_millimetres(stored, int(header["xyzt_units"]) & 7)
        notes += said
        shape = _shape(header, affine, name)
        offset = header.get_data_offset()
        rest = block[offset:]
        if offset > _OFFSET_BYTES or len(stream.read(max(0, offset - len(block)))) < offset - len(block):
            raise ScanError(_damaged(name))
        values = _values(_Joined(rest, stream), header, math.prod(shape), name)
        if len(stream.read(_MORE_BYTES + 1)) > _MORE_BYTES:
            raise ScanError(f"{name} holds more than its header announces; copy or export it again.")
    volume = values.reshape(shape, order="F")
    return NiftiFile(header, affine, volume, notes + settle(volume, name, constant))


@dataclass(frozen=True)
class _Joined:
    """Bytes that were read already, and the stream that goes on after them."""

    first: bytes
    stream: gzip.GzipFile | io.BytesIO

    def at(self, start: int, size: int) -> bytes:
        """`size` bytes from `start`, in order; fewer at the end."""
        held = self.first[start : start + size]
        return held + self.stream.read(size - len(held))


def _header(block: bytes, name: str) -> tuple[nib.Nifti1Header, Array, tuple[str, ...]]:
    """The header, its affine as stored, and what to say of left and right."""
    not_nifti = ScanError(f"{name} is not a NIfTI file; vaead reads .nii and .nii.gz (NIfTI-1 or NIfTI-2).")
    sizes = {int.from_bytes(block[:4], "little"), int.from_bytes(block[:4], "big")}
    size = next((size for size in _HEADERS if size in sizes), None)
    if size is None:
        raise not_nifti
    with refusing(not_nifti):  # nibabel raises many unrelated types on damaged headers
        header = _HEADERS[size](block[:size], check=False)
        header.check_fix(_SILENT)
        affine, notes = header.get_best_affine(), _orientation_notes(header)
        header.get_data_shape(), header.get_data_dtype(), header.get_data_offset(), header.get_slope_inter()
    if header["magic"].item() in _OF_PAIRS:
        raise ScanError(f"{name} is a header alone, whose image lies in another file; save both as one .nii file.")
    return header, affine, notes


def _orientation_notes(header: nib.Nifti1Header) -> tuple[str, ...]:
    codes = int(header["qform_code"]), int(header["sform_code"])
    if all(codes) and _mirrored(header):
        return ("Check left and right: the header's qform and sform give opposite ones, of which the sform is taken.",)
    if any(codes):
        return ()
    return (
        "Check left and right: the header says nothing of them (its qform and sform codes are 0). An image cannot show them.",
    )


def _mirrored(header: nib.Nifti1Header) -> bool:
    """Whether one of qform and sform is a mirror image of the other; False for a qform that means nothing."""
    with suppress(ValueError, nib.spatialimages.HeaderDataError):
        return bool(np.linalg.det(header.get_qform()) * np.linalg.det(header.get_sform()) < 0)
    return False


def _shape(header: nib.Nifti1Header, affine: Array, name: str) -> tuple[int, int, int]:
    """The scan's shape, once the header says of it all that vaead needs."""
    shape = tuple(int(length) for length in header.get_data_shape())
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    check_grid(shape, affine, name)
    if header.get_data_dtype().fields is not None or header.get_data_dtype().kind not in "iuf":
        raise ScanError(f"{name} holds colour or complex values; load a scan with one number a voxel.")
    return shape[0], shape[1], shape[2]


def check_grid(shape: tuple[int, ...], affine: Array, name: str) -> None:
    """Raises ScanError unless this can be the grid of a scan that vaead reads. affine: (4, 4), mm."""
    if len(shape) > 3:
        raise ScanError(f"A scan must be 3-D; {name} has shape {_times(shape)}: save one of its volumes and load that.")
    if len(shape) < 3 or min(shape) < 2:
        raise ScanError(f"A scan must be 3-D; {name} has shape {_times(shape)}: load the whole volume, not one slice.")
    if math.prod(shape) * 4 > MAX_VALUES_BYTES:
        most = MAX_VALUES_BYTES // 4_000_000
        raise ScanError(f"{name} has {_times(shape)} voxels, more than the {most} million that are read; crop or resample it.")
    if not np.isfinite(affine).all() or not _invertible(affine):
        raise ScanError(f"The affine of {name} is singular, so left and right are undefined; repair its header.")
    if not _plausible(affine):
        sizes = _times(tuple(f"{length:.3g}" for length in np.linalg.norm(affine[:3, :3], axis=0)))
        raise ScanError(f"The header of {name} gives voxels of {sizes} mm, which no scanner makes; repair its header.")


def _values(stored: _Joined, header: nib.Nifti1Header, count: int, name: str) -> Array:
    """(count,) float32, scaled as the header says, converted piece by piece."""
    kind = header.get_data_dtype()
    slope, inter = (None if factor is None else np.float64(factor) for factor in header.get_slope_inter())
    values, step = np.empty(count, np.float32), _CHUNK_BYTES // kind.itemsize
    for start in range(0, count, step):
        wanted = min(step, count - start) * kind.itemsize
        piece = stored.at(start * kind.itemsize, wanted)
        if len(piece) < wanted:
            raise ScanError(_damaged(name))
        with np.errstate(over="ignore", invalid="ignore"):
            values[start : start + step] = apply_read_scaling(np.frombuffer(piece, kind), slope, inter)
    return values


def settle(values: Array, name: str, constant: bool = False) -> tuple[str, ...]:
    """Puts the background where NaN lies around the brain, in place, and says so. Raises ScanError for unfit values."""
    notes: tuple[str, ...] = ()
    if not np.isfinite([values.min(), values.max()]).all():
        missing, outside = np.isnan(values), _around(border(values))
        within = with_holes_filled(~missing) & missing
        if outside is None or np.isinf(values).any() or within.any():
            count = int((~np.isfinite(values)).sum())
            raise ScanError(f"{name} has {count} NaN or infinite voxels; replace them, with 0 outside the brain.")
        values[missing] = outside
        notes = ("What is NaN around the brain is taken as background.",)
    lowest, highest = values.min(), values.max()
    if lowest == highest and not constant:
        raise ScanError(f"Every voxel of {name} has the value {lowest:g}; a scan must have contrast.")
    if (largest := max(-lowest, highest)) > LARGEST_VALUE:
        raise ScanError(f"{name} has values up to {largest:.0e}; at most {LARGEST_VALUE:.0e} is read: scale them down.")
    return notes


def _around(faces: Array) -> float | None:
    """The background beside NaN: the constant that fills the rest of the border, else 0 where NaN fills most of it."""
    finite = faces[np.isfinite(faces)]
    constant = border_value(finite) if finite.size else None
    return 0.0 if constant is None and 2 * np.isnan(faces).sum() >= faces.size else constant


def in_millimetres(affine: Array, unit: int) -> tuple[Array, tuple[str, ...]]:
    """`affine` in mm, and what to say of it. unit: NIfTI's code, 1 metre, 2 mm, 3 micron.

    A header that names a unit in which no scanner could have measured such voxels is taken as one in mm.

    >>> in_millimetres(np.diag([0.002, 0.002, 0.002, 1]), 1)
    (array([[2., 0., 0., 0.],
           [0., 2., 0., 0.],
           [0., 0., 2., 0.],
           [0., 0., 0., 1.]]), ('The header gives metres; they were converted to mm.',))
    """
    if unit not in _UNITS:
        return affine, ()
    name, size_mm = _UNITS[unit]
    converted = np.diag([size_mm, size_mm, size_mm, 1.0]) @ affine
    if _plausible(converted):
        return converted, (f"The header gives {name}; they were converted to mm.",)
    return affine, (f"The header gives {name}, which cannot be with voxels of this size; they were taken as mm.",)


def _plausible(affine: Array) -> bool:
    with np.errstate(all="ignore"):
        spacing = np.linalg.norm(affine[:3, :3], axis=0)
    return bool((spacing >= SMALLEST_VOXEL_MM).all() and (spacing <= LARGEST_VOXEL_MM).all())


def _damaged(name: str) -> str:
    return f"The image data of {name} is incomplete or damaged; copy or download it again."


def _invertible(affine: Array) -> bool:
    with np.errstate(all="ignore"):
        spacing = np.linalg.norm(affine[:3, :3], axis=0)
        return bool((spacing > 0).all()) and abs(np.linalg.det(affine[:3, :3] / spacing)) > 1e-3


def _times(shape: tuple[int | str, ...]) -> str:
    return " × ".join(map(str, shape))
