"""`python -m training.samples`: the scans that the app opens without an upload, from the development data."""

from __future__ import annotations

import gzip
from inspect import unwrap
from pathlib import Path

import nibabel as nib
import numpy as np

from vaead_core.anomalies import lesions
from vaead_core.anomalies.lesions.in_scan import painted
from vaead_core.cohorts.locations import find_data
from vaead_core.cohorts.samples import FOLDER, PAINTED, SAMPLES, SampleFile, load_sample
from vaead_core.errors import CohortError
from vaead_core.scans.nifti import read_nifti
from vaead_core.scans.registration import placements, register
from vaead_core.scans.volume import Array, Volume

LESION = {"change": -0.3, "count": 1, "smallest_mm": 9.0, "largest_mm": 9.0}  # of the painted sample
SEED = 4  # of six, that whose lesion stands out most: the sample shows what a find looks like, not how often one is found
BRIGHTEST = 99.95  # percentile of the brain that becomes 255
SOURCES = {
    "ixi_012": "ixi/IXI012-HH-1211_T1_brain.nii.gz",
    "ixi_603": "ixi/IXI603-HH-2701_T1_brain.nii.gz",
    "ms_patient07": "lesions/ms_patient07/t1.nii.gz",
    "glioma_du_7294": "lesions/glioma_tcga_du_7294/t1.nii.gz",
}


def main() -> None:
    """Writes each sample's scan, its truth where it has one, and where all of them lie on the atlas."""
    for sample in SAMPLES.values():
        scan = _source(sample)
        truth = None
        if sample.truth and sample.scan == PAINTED:
            scan, truth = painted(scan, lesions.build("white_matter", **LESION), np.random.default_rng(SEED))
        elif sample.truth:
            truth = read_nifti(_found(SOURCES[sample.scan]).with_name("lesion.nii.gz")).data
        _write(FOLDER / sample.scan_file, as_bytes(scan), scan)
        if truth is not None and sample.truth_file:
            _write(FOLDER / sample.truth_file, truth.astype(np.uint8), scan)
    scans = [load_sample(name).scan for name in SAMPLES]
    placements.FILE.write_text(placements.as_json((scan, unwrap(register)(scan)) for scan in scans))


def as_bytes(scan: Volume) -> Array:
    """(I, J, K) uint8: the values of the brain on 1 to 255, 0 outside."""
    top = float(np.percentile(scan.data[scan.mask], BRIGHTEST))
    return np.where(scan.mask, np.clip(np.rint(1 + 254 * scan.data / top), 1, 255), 0).astype(np.uint8)


def _source(sample: SampleFile) -> Volume:
    return read_nifti(_found(SOURCES[sample.scan.removesuffix("_painted")]))


def _found(path: str) -> Path:
    name, _, rest = path.partition("/")
    folder = find_data(name)
    if folder is None:
        raise CohortError(f"The samples are made from {name}; set VAEAD_DATA to the folder that holds it.")
    return folder / rest


def _write(path: Path, values: Array, scan: Volume) -> None:
    """`values` on the file's own axes, cropped to the brain, zipped to the same bytes at each run."""
    box = tuple(slice(max(0, side.start - 2), side.stop + 2) for side in scan.box)
    affine = scan.affine.copy()
    affine[:3, 3] += scan.affine[:3, :3] @ [side.start for side in box]
    image = nib.Nifti1Image(np.ascontiguousarray(values[box]), affine)
    image.header.set_xyzt_units("mm")
    path.write_bytes(gzip.compress(image.to_bytes(), 9, mtime=0))
    print(f"{path.name}: {image.shape}, {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
