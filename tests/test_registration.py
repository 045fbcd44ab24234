"""Brains that lie otherwise than their headers say, that are not whole, or that are none; more in tests/system."""

import json
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from tests.support.poses import ixi_brain, turn, without
from vaead_core.errors import ScanError
from vaead_core.scans.geometry import Placement
from vaead_core.scans.nifti import read_nifti
from vaead_core.scans.preprocessing import Preprocessor
from vaead_core.scans.registration import quality
from vaead_core.scans.registration.cuts import within_cuts
from vaead_core.scans.registration.gate import PlacementError, refuse_outlying, refuse_poor, warnings
from vaead_core.scans.volume import Volume


def test_an_upright_brain_is_laid_in_silence():
    found = Preprocessor().to_brain(ixi_brain())
    assert found.warnings == ()
    assert found.transform.rotation_degrees < 15
    assert found.transform.covered_share > 0.95
    assert found.transform.dice > 0.94
    assert not found.transform.cut
    low, high = quality.HEALTHY_SIMILARITIES
    assert low <= found.transform.similarity <= high


def test_a_whole_brain_has_no_cuts_and_a_cropped_one_ends_at_its_own():
    assert within_cuts(ixi_brain()) is ixi_brain()
    part = without(ixi_brain(), "top", 0.2)
    assert within_cuts(part).data.shape[2] == part.box[2].stop


def test_a_scan_that_ends_within_the_brain_is_said_to_though_little_is_missing():
    whole = Placement(np.eye(4), 0.6, 0.95, 0.97, "bottom")
    assert warnings(whole) == ()
    [said] = warnings(replace(whole, cut=True))
    assert said.startswith("About 3 % of the brain is missing from this scan, most of it at the bottom; ")


@pytest.mark.parametrize("made", ["a field of noise", "a plate", "a sphere's surface, open", "a mouse"])
def test_what_is_no_brain_by_size_or_shape_is_refused_before_it_is_registered(made, monkeypatch):
    rng = np.random.default_rng(0)
    place = np.indices((90, 90, 90)) - 45.0
    away = np.linalg.norm(place, axis=0)
    masks = {
        "a field of noise": away < 200,
        "a plate": (np.abs(place[0]) < 8) & (np.abs(place[1:]).max(0) < 40),
        "a sphere's surface, open": (away > 34) & (away < 38) & (place[0] < 28),
        "a mouse": away < 9,
    }
    monkeypatch.setattr("vaead_core.scans.preprocessing.register", lambda scan: pytest.fail("it was registered"))
    values = rng.uniform(50, 150, away.shape) * masks[made]
    with pytest.raises(ScanError, match=r"^[^\n]*thing\.nii[^\n]*\.$"):
        Preprocessor().to_brain(Volume(values.astype(np.float32), np.diag([2.0, 2, 2, 1]), "thing.nii"))


def test_a_poor_placement_is_refused_with_what_a_page_draws():
    best = Placement(np.eye(4), quality.LEAST_SIMILARITY - 0.01, 0.9, 1.0, "")
    scan = Volume(np.zeros((4, 4, 4), np.float32), np.eye(4), "scan.nii")
    with pytest.raises(PlacementError, match=r"^scan\.nii could not be brought to the atlas") as refusal:
        refuse_poor(best, scan)
    assert refusal.value.placement is best
    refuse_poor(Placement(np.eye(4), quality.LEAST_SIMILARITY + 0.01, 0.9, 1.0, ""), scan)


@pytest.mark.parametrize(("matrix", "covered", "said"), [
    (np.diag([0.5, 0.5, 0.5, 1]), 1.0, "2.0 times larger"),
    (np.diag([1.5, 1.5, 1.5, 1]), 1.0, "1.5 times smaller"),
    (np.eye(4), 0.3, "70 % of the brain is missing"),
])  # fmt: skip
def test_a_brain_of_another_size_or_less_than_half_of_one_is_refused(matrix, covered, said):
    scan = Volume(np.zeros((4, 4, 4), np.float32), np.eye(4), "scan.nii")
    with pytest.raises(PlacementError, match=said):
        refuse_poor(Placement(matrix, 0.6, 0.9, covered, "top"), scan)


def test_a_voxel_far_beyond_all_others_is_refused_and_a_bright_vessel_is_not():
    brain = ixi_brain()
    at = tuple(np.argwhere(brain.mask)[1000])
    for value, refused in ((20 * brain.data.max(), False), (1e7, True)):
        hot = brain.data.copy()
        hot[at] = value
        if refused:
            with pytest.raises(ScanError, match=r"A few voxels of the brain in .* \(the farthest at 1e\+07, where nearly all"):
                refuse_outlying(replace(brain, data=hot))
        else:
            refuse_outlying(replace(brain, data=hot))


@pytest.mark.parametrize(("stretch", "said"), [(1.22, False), (1.5, True)])
def test_a_voxel_size_that_is_wrong_along_one_axis_is_said(stretch, said):
    found = warnings(Placement(np.diag([1, 1 / stretch, 1, 1.0]), 0.6, 0.95, 1.0, ""))
    assert any("1.5 times as long in one direction" in one for one in found) == said


@pytest.mark.parametrize(("degrees", "words"), [
    ((-21, 0, 0), "tilted by 21° (chin down)"),
    ((0, 0, 20), "tilted by 20° (face to the left)"),
    ((0, 10, 0), "tilted by 10° (top of the head to the right)"),
    ((180, 0, 0), "turned by 180° about the left-right axis"),
    ((0, 0, -90), "turned by 90° about the vertical axis"),
])  # fmt: skip
def test_how_the_head_is_turned_is_said_as_one_sees_it(degrees, words):
    head = turn(ixi_brain(), *degrees)
    assert Placement(np.linalg.inv(head), 0.6, 0.95, 1.0, "").rotation_in_words == words


def test_a_file_whose_codes_are_0_is_said_to_know_no_left_and_right():
    image = nib.Nifti1Image(np.arange(8, dtype=np.float32).reshape(2, 2, 2), np.diag([2.0, 2, 2, 1]))
    content = image.to_bytes()
    assert read_nifti(content).notes == ()
    codes = slice(252, 256)  # qform_code and sform_code
    silent = content[: codes.start] + bytes(4) + content[codes.stop :]
    assert "the header says nothing of them" in read_nifti(silent).notes[0]


def test_a_qform_that_mirrors_the_sform_is_said_and_a_turned_or_meaningless_one_is_not():
    image = nib.Nifti1Image(np.arange(8, dtype=np.float32).reshape(2, 2, 2), np.diag([2.0, 2, 2, 1]))
    for signs, said in [((-1, 1, 1), True), ((1, 1, -1), True), ((-1, -1, 1), False), ((1, 1, 1), False)]:
        image.set_qform(np.diag([*(2.0 * np.array(signs)), 1]), 1)
        notes = read_nifti(image.to_bytes()).notes
        assert ["sform give opposite ones" in note for note in notes] == ([True] if said else [])
    image.header["quatern_b"] = image.header["quatern_c"] = 5.0
    assert read_nifti(image.to_bytes()).notes == ()


def test_the_bound_is_the_one_that_was_measured_and_no_healthy_brain_lies_below_it():
    record = json.loads((Path(__file__).parents[1] / "results" / "registration_healthy.json").read_text())
    assert record["least_similarity"] == quality.LEAST_SIMILARITY
    assert tuple(record["healthy_similarities"]) == quality.HEALTHY_SIMILARITIES
    assert len(record["rows"]) == 86
    assert min(row["similarity"] for row in record["rows"]) > quality.LEAST_SIMILARITY


def test_a_mask_far_beyond_the_atlas_brain_and_a_flat_side_are_said():
    def said(**measured: float) -> tuple[str, ...]:
        return warnings(
            Placement(np.eye(4), **{"similarity": 0.6, "dice": 0.94, "covered_share": 0.99, "missing_part": "top"} | measured)
        )

    assert said() == ()
    assert said(dice=2 / 3, covered_share=1.0) == (
        "About 50 % of what counts as brain in this scan lies outside the atlas's brain: check the brain's outline or mask.",
    )
    assert said(cut=True, covered_share=0.999) == (
        "The brain has a flat side, as where an image ends within it; its place on the atlas is less certain.",
    )
