"""DICOM series for tests, and as archives."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from vaead_core.scans.volume import Volume

PATIENT = "DOE^JANE"
AXIAL = ([1, 0, 0], [0, 1, 0])
SAGITTAL = ([0, 1, 0], [0, 0, -1])
CORONAL = ([1, 0, 0], [0, 0, -1])
OBLIQUE = ([0.96, 0.28, 0], [-0.28 * 0.8, 0.96 * 0.8, 0.6])
SHAPE, SPACING = (10, 8, 6), (1.5, 1.0, 2.5)  # columns, rows, slices; mm between columns, rows, slices
ORIGIN = (10.0, -20.0, 30.0)  # mm, LPS


def write_series(
    folder: Path, directions=AXIAL, slopes=(1.0,), number=3, order=1, stored=None, spacing=SPACING, origin=ORIGIN, **changes
) -> np.ndarray:
    """A series of noise, or of int16 `stored` (columns, rows, slices), file by file; its values.

    Slices lie along the normal of the directions. order: of instance and file numbers. changes: fields, or their values by slice.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stored = np.random.default_rng(number).integers(0, 4000, SHAPE).astype(np.int16) if stored is None else stored
    row, column = np.array(directions, float)
    uid, values = generate_uid(), np.empty(stored.shape)
    for k in range(stored.shape[2]):
        one = Dataset()
        one.file_meta = FileMetaDataset()
        one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        one.file_meta.MediaStorageSOPClassUID = one.SOPClassUID = MRImageStorage
        one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID = generate_uid()
        one.PatientName, one.PatientID, one.Modality = PATIENT, "4711", "MR"
        one.SeriesInstanceUID, one.StudyInstanceUID, one.SeriesNumber = uid, generate_uid(), number
        one.SeriesDescription = f"T1 of {PATIENT}"
        one.RepetitionTime, one.EchoTime, one.InstanceNumber = 2300, 2.98, order * k + 100
        one.ImageOrientationPatient = [*row, *column]
        one.ImagePositionPatient = [float(at) for at in np.array(origin) + k * spacing[2] * np.cross(row, column)]
        one.PixelSpacing, one.SliceThickness = [spacing[1], spacing[0]], spacing[2]
        one.Rows, one.Columns, one.SamplesPerPixel = stored.shape[1], stored.shape[0], 1
        one.PhotometricInterpretation = "MONOCHROME2"
        one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 16, 16, 15, 1
        slope = slopes[k % len(slopes)]
        if slopes != (1.0,):
            one.RescaleSlope, one.RescaleIntercept = slope, -7
        values[:, :, k] = stored[:, :, k] * slope - (7 if slopes != (1.0,) else 0)
        one.PixelData = stored[:, :, k].T.tobytes()
        for field, value in changes.items():
            setattr(one, field, value(k) if callable(value) else value)
        one.save_as(folder / f"{PATIENT}_{order * k + 500}.dcm", enforce_file_format=True)
    return values


def write_volume(scan: Volume, folder: Path) -> None:
    """A scan whose axes are those of the world as an axial series, its brightest 4000."""
    stored = np.round(scan.data * (4000 / scan.data.max())).astype(np.int16)[::-1, ::-1]
    corner = scan.affine @ [scan.data.shape[0] - 1, scan.data.shape[1] - 1, 0, 1]
    write_series(folder, stored=stored, spacing=tuple(scan.spacing_mm), origin=(-corner[0], -corner[1], corner[2]))


def zipped(folder: Path) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder.parent))
    return content.getvalue()
