"""The header and the values in a NIfTI file, read within bounds: no more is unpacked than the header announces."""

from __future__ import annotations

import gzip
import io
import logging
import math
import zlib
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.volumeutils import apply_read_scaling

from vaead_core.errors import ScanError, refusing
from vaead_core.scans.volume import Array

MAX_VALUES_BYTES = 256 << 20  # of a scan as float32: 512 × 512 × 256 voxels
MAX_FILE_BYTES = 1 << 30  # as stored
LARGEST_VALUE = 1e15  # the sum of its squares over any brain stays finite in float32
_OFFSET_BYTES = 16 << 20  # header extensions before the values
_MORE_BYTES = 1 << 20  # what may follow the values
_PIECES = 100_000  # gzip members of one file; bgzip makes one for each 64 KB
_CHUNK_BYTES = 4 << 20
_HEADERS = {348: nib.Nifti1Header, 540: nib.Nifti2Header}
_SILENT = logging.Logger("nifti headers")  # nibabel would log what a damaged header holds
_SILENT.disabled = True


@dataclass(frozen=True)
class NiftiFile:
    """values: (I, J, K) float32 in the file's own order, finite. affine: (4, 4) their indices to world mm, RAS+."""

    header: nib.Nifti1Header
    affine: Array
    values: Array


def read_file(source: Path, name: str) -> bytes:
    """What a file holds. Raises ScanError when it cannot be opened or is larger than MAX_FILE_BYTES."""
    try:
        with source.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ScanError(f"{name} cannot be opened ({error.strerror}); check the path.") from error
    if len(content) > MAX_FILE_BYTES:
        raise ScanError(f"{name} holds more than {MAX_FILE_BYTES >> 20} MB; crop or resample it first.")
    return content


def open_nifti(content: bytes, name: str) -> NiftiFile:
    """Raises ScanError with one plain sentence, and before much is unpacked.

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
        header, affine = _header(block, name)
        shape = _shape(header, affine, name)
        offset = header.get_data_offset()
        rest = block[offset:]
        if offset > _OFFSET_BYTES or len(stream.read(max(0, offset - len(block)))) < offset - len(block):
            raise ScanError(_damaged(name))
        values = _values(_Joined(rest, stream), header, math.prod(shape), name)
        if len(stream.read(_MORE_BYTES + 1)) > _MORE_BYTES:
            raise ScanError(f"{name} holds more than its header announces; copy or export it again.")
    return NiftiFile(header, affine, values.reshape(shape, order="F"))


@dataclass(frozen=True)
class _Joined:
    """Bytes that were read already, and the stream that goes on after them."""

    first: bytes
    stream: gzip.GzipFile | io.BytesIO

    def at(self, start: int, size: int) -> bytes:
        """`size` bytes from `start`, in order; fewer at the end."""
        held = self.first[start : start + size]
        return held + self.stream.read(size - len(held))


def _header(block: bytes, name: str) -> tuple[nib.Nifti1Header, Array]:
    not_nifti = ScanError(f"{name} is not a NIfTI file; vaead reads .nii and .nii.gz (NIfTI-1 or NIfTI-2).")
    sizes = {int.from_bytes(block[:4], "little"), int.from_bytes(block[:4], "big")}
    size = next((size for size in _HEADERS if size in sizes), None)
    if size is None:
        raise not_nifti
    with refusing(not_nifti):  # nibabel raises many unrelated types on damaged headers
        header = _HEADERS[size](block[:size], check=False)
        header.check_fix(_SILENT)
        affine = header.get_best_affine()
        header.get_data_shape(), header.get_data_dtype(), header.get_data_offset(), header.get_slope_inter()
    return header, affine


def _shape(header: nib.Nifti1Header, affine: Array, name: str) -> tuple[int, int, int]:
    """The scan's shape, once the header says of it all that vaead needs."""
    shape = tuple(int(length) for length in header.get_data_shape())
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) > 3:
        raise ScanError(f"A scan must be 3-D; {name} has shape {_times(shape)}: save one of its volumes and load that.")
    if len(shape) < 3 or min(shape) < 2:
        raise ScanError(f"A scan must be 3-D; {name} has shape {_times(shape)}: load the whole volume, not one slice.")
    if math.prod(shape) * 4 > MAX_VALUES_BYTES:
        most = MAX_VALUES_BYTES // 4_000_000
        raise ScanError(f"{name} has {_times(shape)} voxels, more than the {most} million that are read; crop or resample it.")
    if not np.isfinite(affine).all() or not _invertible(affine):
        raise ScanError(f"The affine of {name} is singular, so left and right are undefined; repair its header.")
    if header.get_data_dtype().fields is not None or header.get_data_dtype().kind not in "iuf":
        raise ScanError(f"{name} holds colour or complex values; load a scan with one number a voxel.")
    return shape[0], shape[1], shape[2]


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
    lowest, highest = values.min(), values.max()
    if not np.isfinite([lowest, highest]).all():
        missing = int((~np.isfinite(values)).sum())
        raise ScanError(f"{name} has {missing} NaN or infinite voxels; replace them, with 0 outside the brain.")
    if lowest == highest:
        raise ScanError(f"Every voxel of {name} has the value {lowest:g}; a scan must have contrast.")
    if (largest := max(-lowest, highest)) > LARGEST_VALUE:
        raise ScanError(f"{name} has values up to {largest:.0e}; at most {LARGEST_VALUE:.0e} is read: scale them down.")
    return values


def _damaged(name: str) -> str:
    return f"The image data of {name} is incomplete or damaged; copy or download it again."


def _invertible(affine: Array) -> bool:
    with np.errstate(all="ignore"):
        spacing = np.linalg.norm(affine[:3, :3], axis=0)
        return bool((spacing > 0).all()) and abs(np.linalg.det(affine[:3, :3] / spacing)) > 1e-3


def _times(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))
