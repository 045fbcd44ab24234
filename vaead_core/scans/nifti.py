"""NIfTI files in and out: any storage order comes in as RAS+, and a map goes back onto the file's own grid."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel import orientations

from vaead_core.scans.geometry import NativeSpace
from vaead_core.scans.nifti_file import open_nifti, read_file
from vaead_core.scans.volume import Array, Volume

_SPATIAL = (
    "qform_code", "sform_code", "quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z",
    "srow_x", "srow_y", "srow_z",
)  # fmt: skip
_SPATIAL_UNITS = (0, 1, 2, 3)  # unknown, m, mm, µm


def read_nifti(source: Path | str | bytes, name: str | None = None, constant: bool = False) -> Volume:
    """The scan in a NIfTI-1 or -2 file, gzipped or not. Raises ScanError with one plain sentence.

    Refused: not NIfTI, not 3-D (trailing axes of size 1 are dropped), infinite or huge values, NaN within the brain, a
    constant image, a singular affine, voxels below 0.05 or above 20 mm, more of them than MAX_VALUES_BYTES hold, more
    data than the header announces. Metres and microns become mm. constant: one value throughout is let through, as an
    empty mask has it.

    >>> ramp = Volume(np.arange(24, dtype=np.float32).reshape(2, 3, 4), np.diag([2.0, 2, 2, 1]))
    >>> again = read_nifti(map_to_nifti(ramp.data, ramp))
    >>> (again.data == ramp.data).all().item(), again.spacing_mm.tolist()
    (True, [2.0, 2.0, 2.0])
    """
    if isinstance(source, bytes):
        name, content = name or "scan.nii", source
    else:
        name = name or Path(source).name
        content = read_file(Path(source), name)
    file = open_nifti(content, name, constant)
    to_ras = orientations.io_orientation(file.affine)
    affine = file.affine @ orientations.inv_ornt_aff(to_ras, file.values.shape)
    ras = np.ascontiguousarray(orientations.apply_orientation(file.values, to_ras))
    return Volume(ras, affine, name, NativeSpace(file.values.shape, _spatial(file.header), to_ras), notes=file.notes)


@dataclass(frozen=True)
class Said:
    """What a header says of its values. intent: one of NIfTI's, by its name. called: 15 letters at most. description: 79."""

    intent: str
    called: str
    description: str


def map_to_nifti(values: Array, scan: Volume, kind: type[np.generic] = np.float32, said: Said | None = None) -> bytes:
    """A gzipped NIfTI file of `values` (I, J, K), given on the scan's RAS+ grid, on the scan's own stored grid.

    Shape, affine, qform and sform with their codes equal the input's; nothing else of its header is kept. kind: of its numbers.
    """
    if values.shape != scan.data.shape:
        raise ValueError(f"a map must have the scan's shape {scan.data.shape}, got {values.shape}")
    if scan.native is None:
        image = nib.Nifti1Image(values.astype(kind), scan.affine)
        image.header.set_xyzt_units("mm")
    else:
        image_of = nib.Nifti2Image if isinstance(scan.native.header, nib.Nifti2Header) else nib.Nifti1Image
        header = scan.native.header.copy()
        header.set_data_dtype(kind)
        image = image_of(np.ascontiguousarray(scan.native.from_ras(values), kind), None, header)
    if said:
        image.header.set_intent(said.intent, name=said.called)
        image.header["descrip"] = said.description
    return gzip.compress(image.to_bytes(), compresslevel=6, mtime=0)


def _spatial(header: nib.Nifti1Header) -> nib.Nifti1Header:
    """A new header that says of space what `header` does, and nothing else: the other fields can hold text on a patient."""
    clean = type(header)()
    for field in _SPATIAL:
        clean[field] = header[field]
    clean["pixdim"][:4] = header["pixdim"][:4]
    unit = int(header["xyzt_units"]) & 7
    clean["xyzt_units"] = unit if unit in _SPATIAL_UNITS else 0
    return clean
