"""NIfTI files in and out: any storage order comes in as RAS+, and a map goes back onto the file's own grid."""

from __future__ import annotations

import gzip
import io
import zlib
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel import orientations

from vaead_core.errors import ScanError
from vaead_core.volume import Array, Volume

MAX_DECOMPRESSED_BYTES = 1 << 30
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class NativeSpace:
    """The file's own grid: its 3-D shape, its header without text, and how its axes turn into RAS+."""

    shape: tuple[int, int, int]
    header: nib.Nifti1Header
    to_ras: Array

    @property
    def voxels_from_ras(self) -> Array:
        """(4, 4): voxel indices of the RAS+ array to the file's own."""
        return orientations.inv_ornt_aff(self.to_ras, self.shape)

    def from_ras(self, data: Array) -> Array:
        """(I, J, K) in RAS+ order back to the file's own axis order and directions."""
        inverse = orientations.ornt_transform(orientations.axcodes2ornt(("R", "A", "S")), self.to_ras)
        return orientations.apply_orientation(data, inverse)


def read_nifti(source: Path | str | bytes, name: str | None = None) -> Volume:
    """The scan in a NIfTI-1 or -2 file, gzipped or not. Raises ScanError with one plain sentence.

    Refused: not NIfTI, not 3-D (trailing axes of size 1 are dropped), NaN or infinite values, a constant image,
    a singular affine, more than MAX_DECOMPRESSED_BYTES of data.
    """
    if isinstance(source, bytes):
        name, content = name or "scan.nii", source
    else:
        name = name or Path(source).name
        try:
            content = Path(source).read_bytes()
        except OSError as error:
            raise ScanError(f"{name} cannot be opened ({error.strerror}); check the path.") from error
    image = _parse(_decompress(content, name), name)
    return _to_volume(image, name)


def _decompress(content: bytes, name: str) -> bytes:
    if content[:2] != b"\x1f\x8b":
        return content
    parts, size = [], 0
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                size += len(chunk)
                if size > MAX_DECOMPRESSED_BYTES:
                    limit = MAX_DECOMPRESSED_BYTES >> 20
                    raise ScanError(f"{name} holds more than {limit} MB once unpacked; crop or resample it first.")
                parts.append(chunk)
    except (EOFError, OSError, zlib.error) as error:
        raise ScanError(f"{name} is a damaged or cut-off gzip file; copy or download it again.") from error
    return b"".join(parts)


def _parse(content: bytes, name: str) -> nib.Nifti1Image:
    not_nifti = ScanError(f"{name} is not a NIfTI file; vaead reads .nii and .nii.gz (NIfTI-1 or NIfTI-2).")
    sizes = {int.from_bytes(content[:4], "little"), int.from_bytes(content[:4], "big")}
    kind = nib.Nifti1Image if 348 in sizes else nib.Nifti2Image if 540 in sizes else None
    if kind is None:
        raise not_nifti
    try:  # nibabel raises many unrelated types on damaged headers, hence the broad except, around the parser alone
        image = kind.from_bytes(content)
        shape, affine = image.shape, image.affine
    except Exception as error:
        raise not_nifti from error
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) > 3:
        raise ScanError(f"A scan must be 3-D; {name} has shape {_times(shape)}: save one of its volumes and load that.")
    if len(shape) < 3 or min(shape) < 2:
        raise ScanError(f"A scan must be 3-D; {name} has shape {_times(shape)}: load the whole volume, not one slice.")
    values = int(np.prod(shape, dtype=np.int64))
    if values * 4 > MAX_DECOMPRESSED_BYTES:
        raise ScanError(f"{name} has {_times(shape)} voxels, more than vaead holds in memory; crop or resample it first.")
    if not np.isfinite(affine).all() or not _invertible(affine):
        raise ScanError(f"The affine of {name} is singular, so left and right are undefined; repair its header.")
    if image.header.get_data_dtype().fields is not None or image.header.get_data_dtype().kind == "c":
        raise ScanError(f"{name} holds colour or complex values; load a scan with one number a voxel.")
    return image


def _to_volume(image: nib.Nifti1Image, name: str) -> Volume:
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            data = np.asarray(image.dataobj, np.float32)
    except Exception as error:  # a file cut off within its data, or with scale factors that cannot be applied
        raise ScanError(f"The image data of {name} is incomplete or damaged; copy or download it again.") from error
    shape = (int(image.shape[0]), int(image.shape[1]), int(image.shape[2]))
    data = data.reshape(shape)
    if not np.isfinite(data).all():
        count = int((~np.isfinite(data)).sum())
        raise ScanError(f"{name} has {count} NaN or infinite voxels; replace them, with 0 outside the brain.")
    if data.min() == data.max():
        raise ScanError(f"Every voxel of {name} has the value {data.flat[0]:g}; a scan must have contrast.")
    to_ras = orientations.io_orientation(image.affine)
    affine = image.affine @ orientations.inv_ornt_aff(to_ras, data.shape)
    ras = np.ascontiguousarray(orientations.apply_orientation(data, to_ras))
    return Volume(ras, affine, name, NativeSpace(shape, _without_text(image.header), to_ras))


def map_to_nifti(values: Array, scan: Volume) -> bytes:
    """A gzipped NIfTI file of `values` (I, J, K), given on the scan's RAS+ grid, on the scan's own stored grid.

    Shape, affine, qform and sform with their codes equal the input's; header text (names, descriptions) is dropped.
    """
    if values.shape != scan.data.shape:
        raise ValueError(f"a map must have the scan's shape {scan.data.shape}, got {values.shape}")
    if scan.native is None:
        image = nib.Nifti1Image(values.astype(np.float32), scan.affine)
        image.header.set_xyzt_units("mm")
    else:
        kind = nib.Nifti2Image if isinstance(scan.native.header, nib.Nifti2Header) else nib.Nifti1Image
        header = scan.native.header.copy()
        header.set_data_dtype(np.float32)
        header.set_slope_inter(1, 0)
        header["cal_max"] = header["cal_min"] = 0
        image = kind(np.ascontiguousarray(scan.native.from_ras(values), np.float32), None, header)
    return gzip.compress(image.to_bytes(), compresslevel=6, mtime=0)


def _without_text(header: nib.Nifti1Header) -> nib.Nifti1Header:
    clean = header.copy()
    clean.extensions.clear()
    for field in ("descrip", "aux_file", "intent_name", "db_name"):
        if field in clean.keys():
            clean[field] = b""
    return clean


def _invertible(affine: Array) -> bool:
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    return bool((spacing > 0).all()) and abs(np.linalg.det(affine[:3, :3] / spacing)) > 1e-3


def _times(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))
