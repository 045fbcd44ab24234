"""Brains that lie otherwise than their headers say, that are not whole, or that are none."""

from functools import lru_cache

import nibabel as nib
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from tests.support.poses import about_its_centre, error_mm, without
from tests.support.scans import development_data
from vaead_core.errors import ScanError
from vaead_core.scans.geometry import Placement
from vaead_core.scans.nifti import read_nifti
from vaead_core.scans.preprocessing import Preprocessor
from vaead_core.scans.registration import quality, register
from vaead_core.scans.registration.cuts import within_cuts
from vaead_core.scans.registration.gate import PlacementError, refuse_poor
from vaead_core.scans.volume import Volume


@lru_cache(maxsize=1)
def brain() -> Volume:
    return read_nifti(next(development_data("ixi").glob("IXI012*")))


@lru_cache(maxsize=1)
def untouched() -> np.ndarray:
    return register(brain()).matrix


def laid(pose: np.ndarray, scan: Volume | None = None) -> Volume:
    scan = scan or brain()
    return Volume(scan.data, pose @ scan.affine, "laid.nii")


def turned(x: float = 0, y: float = 0, z: float = 0) -> np.ndarray:
    """About the brain's centre, by degrees about the axes to the right, to the front and up."""
    return about_its_centre(brain(), Rotation.from_euler("xyz", [x, y, z], degrees=True).as_matrix())


@pytest.mark.parametrize(
    "pose",
    [(10, 0, 0), (-20, 0, 0), (0, 0, 20), (0, 30, 0), (180, 0, 0), (0, 0, 90)],
    ids=lambda pose: "x{} y{} z{}".format(*pose),
)
def test_a_turned_brain_is_found_where_it_lies(pose):
    found = register(laid(turned(*pose)))
    assert error_mm(brain(), turned(*pose), found.matrix, untouched()) < 1.5
    assert found.similarity > quality.LEAST_SIMILARITY


def test_a_header_that_calls_left_and_posterior_right_and_anterior_is_said():
    scan = Preprocessor().to_brain(laid(np.diag([-1.0, -1, 1, 1])))
    assert error_mm(brain(), np.diag([-1.0, -1, 1, 1]), scan.transform.matrix, untouched()) < 1.5
    assert any("turned by 180° about the vertical axis" in said and "check left and right" in said for said in scan.warnings)


def test_an_upright_brain_is_laid_in_silence():
    found = Preprocessor().to_brain(brain())
    assert found.warnings == ()
    assert found.transform.rotation_degrees < 15
    assert found.transform.covered_share > 0.95
    assert found.transform.dice > 0.94


@pytest.mark.parametrize(("side", "share", "at_most_mm"), [("top", 0.33, 3), ("bottom", 0.25, 3)])
def test_a_brain_without_its_top_or_bottom_is_found_and_the_rest_is_said_to_be_missing(side, share, at_most_mm):
    part = without(brain(), side, share)
    found = Preprocessor().to_brain(part)
    assert error_mm(part, np.eye(4), found.transform.matrix, untouched()) < at_most_mm
    assert any("of the brain is missing" in said and f"at the {side}" in said for said in found.warnings)


def test_a_whole_brain_has_no_cuts_and_a_cropped_one_ends_at_its_own():
    assert within_cuts(brain()) is brain()
    part = without(brain(), "top", 0.2)
    assert within_cuts(part).data.shape[2] == part.box[2].stop


@pytest.mark.parametrize("made", ["ball", "noise", "scattered", "a mouse"])
def test_what_is_no_brain_is_refused_in_one_sentence(made):
    rng = np.random.default_rng(0)
    away = np.linalg.norm(np.indices((80, 80, 80)) - 40.0, axis=0)
    masks = {"ball": away < 32, "noise": away < 99, "scattered": (away > 36) & (away < 38), "a mouse": away < 9}
    values = rng.uniform(50, 150, away.shape) * masks[made]
    with pytest.raises(ScanError, match=r"^[^\n]*thing\.nii[^\n]*\.$"):
        Preprocessor().to_brain(Volume(values.astype(np.float32), np.diag([2.0, 2, 2, 1]), "thing.nii"))


def test_a_poor_placement_is_refused_with_what_a_page_draws():
    best = Placement(np.eye(4), quality.LEAST_SIMILARITY - 0.01, 0.9, 1.0, "")
    with pytest.raises(PlacementError, match="could not be brought to the atlas") as refusal:
        refuse_poor(best, brain())
    assert refusal.value.placement is best


def test_a_file_whose_codes_are_0_is_said_to_know_no_left_and_right():
    image = nib.Nifti1Image(np.arange(8, dtype=np.float32).reshape(2, 2, 2), np.diag([2.0, 2, 2, 1]))
    content = image.to_bytes()
    assert read_nifti(content).notes == ()
    codes = slice(252, 256)  # qform_code and sform_code
    silent = content[: codes.start] + bytes(4) + content[codes.stop :]
    assert "says nothing of left and right" in read_nifti(silent).notes[0]
