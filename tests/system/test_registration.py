"""Poses that are searched for at length: turns, mirrored arrays, parts, sizes, voxels, and things that are no brain.

`python -m benchmarks.registration` has thirty; here is one of each kind."""

import numpy as np
import pytest
from scipy import ndimage

from tests.support.poses import error_mm, ixi_brain, laid, turn, untouched, without
from tests.support.scans import development_data
from vaead_core.errors import ScanError
from vaead_core.scans.nifti import read_nifti
from vaead_core.scans.preprocessing import Preprocessor
from vaead_core.scans.registration import descent, register
from vaead_core.scans.registration.gate import PlacementError
from vaead_core.scans.volume import Volume

AS_RAS = np.diag([-1.0, -1, 1, 1])  # of a file whose axes are LPS


@pytest.mark.parametrize("degrees", [(10, 0, 0), (0, 0, 20)], ids=["chin", "yaw"])
def test_a_tilted_brain_is_found_where_it_lies(degrees):
    pose = turn(ixi_brain(), *degrees)
    assert error_mm(ixi_brain(), pose, register(laid(pose)).matrix, untouched()) < 1.5


def test_a_header_that_calls_left_and_posterior_right_and_anterior_is_said():
    found = Preprocessor().to_brain(laid(AS_RAS))
    assert error_mm(ixi_brain(), AS_RAS, found.transform.matrix, untouched()) < 1.5
    assert found.transform.rotation_degrees == pytest.approx(180, abs=15)
    assert any(
        "turned by 1" in said and "the vertical axis" in said and "check left and right" in said for said in found.warnings
    )


@pytest.mark.parametrize("degrees", [(0, 30, 0), (45, 45, 0), (90, 0, 0), (0, 180, 0)], ids=str)
def test_a_turned_brain_is_found_and_said(degrees):
    pose = turn(ixi_brain(), *degrees)
    found = Preprocessor().to_brain(laid(pose))
    assert error_mm(ixi_brain(), pose, found.transform.matrix, untouched()) < 1.5
    far = max(map(abs, degrees)) > 44
    assert any("check left and right" in said for said in found.warnings) or not far


@pytest.mark.parametrize("axis", [1, 2], ids=["front-back", "upside-down"])
def test_a_mirrored_array_is_never_laid_in_silence(axis):
    """It is a turned brain and its mirror image, which no image shows."""
    mirrored = np.eye(4)
    mirrored[axis, axis] = -1
    found = Preprocessor().to_brain(laid(mirrored))
    assert any("turned by 1" in said and "check left and right" in said for said in found.warnings)


def test_a_brain_without_its_top_is_found_and_the_rest_is_said_to_be_missing():
    part = without(ixi_brain(), "top", 0.33)
    found = Preprocessor().to_brain(part)
    assert error_mm(part, np.eye(4), found.transform.matrix, untouched()) < 3
    assert found.transform.covered_share == pytest.approx(0.63, abs=0.05)
    assert found.transform.cut
    assert any("of the brain is missing" in said and "at the top" in said for said in found.warnings)


@pytest.mark.parametrize(("side", "share"), [("bottom", 0.33), ("front", 0.3), ("left", 0.5)])
def test_a_part_of_a_brain_is_found_and_said_or_refused(side, share):
    part = without(ixi_brain(), side, share)
    try:
        found = Preprocessor().to_brain(part)
    except PlacementError:
        assert share == 0.5
        return
    assert error_mm(part, np.eye(4), found.transform.matrix, untouched()) < 4
    assert any("of the brain is missing" in said and f"at the {side}" in said for said in found.warnings)


def test_a_childs_brain_is_found():
    small = np.diag([0.8, 0.8, 0.8, 1.0])
    found = Preprocessor().to_brain(laid(small))
    assert error_mm(ixi_brain(), small, found.transform.matrix, untouched()) < 1.5


def test_voxels_of_1_by_1_by_4_mm_are_laid_alike():
    scan = ixi_brain()
    data = ndimage.zoom(scan.data, (2, 2, 0.5), order=1, grid_mode=True, mode="grid-constant")
    scale = np.array(scan.data.shape) / data.shape
    affine = scan.affine @ np.diag([*scale, 1.0])
    affine[:3, 3] = scan.affine[:3, 3] + scan.affine[:3, :3] @ ((scale - 1) / 2)
    pose = turn(scan, 15, 0, 90)
    found = Preprocessor().to_brain(Volume(data, pose @ affine, "other.nii"))
    assert error_mm(scan, pose, found.transform.matrix, untouched()) < 2


def test_a_ball_of_noise_is_refused_after_few_descents(monkeypatch):
    """Each goes on to its bound where there is nothing to find: 40 s at the scan of a case of tests.fuzz."""
    descents, descend = [], descent._descended
    monkeypatch.setattr(descent, "_descended", lambda *given, **more: (descents.append(1), descend(*given, **more))[1])
    away = np.linalg.norm(np.indices((80, 80, 80)) - 40.0, axis=0)
    values = np.random.default_rng(0).uniform(50, 150, away.shape) * (away < 32)
    with pytest.raises(ScanError, match=r"^ball\.nii could not be brought to the atlas"):
        Preprocessor().to_brain(Volume(values.astype(np.float32), np.diag([2.0, 2, 2, 1]), "ball.nii"))
    assert 2 <= len(descents) <= 4


def test_patients_are_laid_in_silence():
    for folder in ("ms_patient07", "glioma_tcga_du_7294"):
        found = Preprocessor().to_brain(read_nifti(development_data("lesions") / folder / "t1.nii.gz"))
        assert not any("turned" in said or "missing" in said for said in found.warnings)
