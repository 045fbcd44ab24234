"""Units of a header: mm in every case, or a sentence."""

import gzip

import nibabel as nib
import numpy as np
import pytest

from vaead_core.errors import ScanError
from vaead_core.scans.nifti import map_to_nifti, read_nifti

DATA = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


def stored(size: float, unit: str) -> bytes:
    image = nib.Nifti1Image(DATA, np.diag([size, size, size, 1.0]))
    image.header.set_xyzt_units(unit)
    return image.to_bytes()


@pytest.mark.parametrize(("size", "unit"), [(0.002, "meter"), (2000.0, "micron"), (2.0, "mm"), (2.0, "unknown")])
def test_every_unit_becomes_mm_and_maps_go_back_in_the_files_own(size, unit):
    scan = read_nifti(stored(size, unit), "scan.nii")
    assert scan.spacing_mm == pytest.approx([2, 2, 2])
    assert ("converted to mm" in " ".join(scan.notes)) == (unit in ("meter", "micron"))
    back = nib.Nifti1Image.from_bytes(gzip.decompress(map_to_nifti(scan.data, scan)))
    assert back.header.get_xyzt_units()[0] == unit
    assert back.header.get_zooms() == pytest.approx((size, size, size))


@pytest.mark.parametrize("unit", ["meter", "micron"])
def test_a_unit_that_cannot_be_is_taken_as_mm_and_said(unit):
    scan = read_nifti(stored(2.0, unit), "scan.nii")
    assert scan.spacing_mm == pytest.approx([2, 2, 2])
    assert "taken as mm" in scan.notes[0]


@pytest.mark.parametrize("size", [1e-10, 1e-3, 0.04, 25.0, 1e6])
def test_voxels_that_no_scanner_makes_are_refused(size):
    with pytest.raises(ScanError, match=r"^The header of scan\.nii gives voxels of .* mm, which no scanner makes"):
        read_nifti(stored(size, "mm"), "scan.nii")
