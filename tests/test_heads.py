"""Heads are known as heads and brains as brains, whatever lies around them; who knows the brain better says it."""

import json

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from tests.support.heads import head_around
from tests.support.scans import reoriented
from vaead_core.__main__ import main
from vaead_core.errors import ScanError
from vaead_core.measures.metrics import dice
from vaead_core.scans.heads import MOST_OUTSIDE, signal_outside, with_brain, with_mask
from vaead_core.scans.nifti import map_to_nifti, read_nifti
from vaead_core.scans.preprocessing import Preprocessor
from vaead_core.scans.volume import Volume


@pytest.fixture(scope="module")
def brain(brain_volume) -> Volume:
    return brain_volume


HEADS = {
    "in noise": lambda head: head,
    "in empty air": lambda head: np.where(head > 0.1 * np.percentile(head, 99.5), head, 0),
    "below 0": lambda head: head - 500,
    "with empty planes around it": lambda head: np.pad(head, 8),
    "without a face": lambda head: np.where(
        (np.indices(head.shape)[1] > 90) & (np.indices(head.shape)[2] < 40), 0, head
    ),
    "cropped": lambda head: head[12:-12, 24:-24, 6:],
    "brighter in front": lambda head: head * np.exp(np.linspace(-1, 1, head.shape[1]))[:, None],
}  # fmt: skip


@pytest.mark.parametrize("name", HEADS)
def test_a_head_is_known_as_one(head, name):
    volume, _ = head
    assert signal_outside(Volume(HEADS[name](volume.data).astype(np.float32), volume.affine)) > 1.5 * MOST_OUTSIDE


@pytest.mark.parametrize(("air", "body"), [("zero", True), ("noise", False), ("zero", False)])
def test_skull_and_scalp_are_enough(brain, air, body):
    assert signal_outside(head_around(brain, air, body)[0]) > 1.5 * MOST_OUTSIDE


def in_noise(brain: Volume) -> np.ndarray:
    return np.abs(brain.data + np.random.default_rng(0).normal(0, 0.02 * brain.data.max(), brain.data.shape))


BRAINS = {
    "as it is": lambda brain: brain.data,
    "on a constant": lambda brain: np.where(brain.mask, brain.data, -1000),
    "scaled to mean 0": lambda brain: np.where(brain.mask, brain.data - brain.data[brain.mask].mean(), 0),
    "in noise": in_noise,
    "cropped to the last voxel": lambda brain: brain.data[brain.box],
    "cut by its field of view": lambda brain: brain.data[brain.box][6:-6, 6:-6, 4:-4],
    "one hemisphere": lambda brain: brain.data[: brain.data.shape[0] // 2],
    "far away": lambda brain: np.pad(brain.data, 60),
}


@pytest.mark.parametrize("name", BRAINS)
def test_a_brain_is_never_taken_for_a_head(brain, name):
    assert signal_outside(Volume(BRAINS[name](brain).astype(np.float32), brain.affine)) < MOST_OUTSIDE / 2


def test_the_brain_of_a_head_is_extracted_and_that_is_said(head):
    volume, mask = head
    known = with_brain(volume)
    assert dice(known.mask, mask) > 0.95
    assert known.brain_by == "networks"
    assert known.notes == ("This is a whole head: the brain was extracted first; check its outline.",)
    assert with_brain(known) is known


def test_a_stripped_brain_stays_as_it_is_unless_its_owner_wants_it_stripped_again(brain):
    known = with_brain(brain)
    assert known.data is brain.data
    assert (known.brain_by, known.notes) == ("background", ())
    again = with_brain(brain, extract=True)
    assert dice(again.mask, brain.mask) > 0.95
    assert again.notes == ("The brain was extracted first; check its outline.",)


def test_a_brain_in_noise_is_taken_out_of_it(brain):
    known = with_brain(Volume(in_noise(brain).astype(np.float32), brain.affine))
    assert dice(known.mask, brain.mask) > 0.95
    assert known.notes == ("No constant value lies around the brain: it was extracted first; check its outline.",)


def test_who_wants_no_extraction_is_told_what_to_do(brain, head):
    with pytest.raises(ScanError, match="head is a whole head; vaead maps a brain alone, so extract it first or give its mask"):
        Preprocessor().to_brain(with_brain(head[0], extract=False))
    with pytest.raises(ScanError, match="No constant value lies around the brain in noisy; set what is outside to 0"):
        Preprocessor().to_brain(with_brain(Volume(in_noise(brain).astype(np.float32), brain.affine, "noisy"), extract=False))


@pytest.mark.parametrize(("codes", "turn", "top"), [("RAS", 0, 1), ("PSR", 12, 255)])
def test_a_mask_on_another_grid_lies_at_its_world_place(head, codes, turn, top):
    volume, mask = head
    turned = reoriented(Volume(mask.astype(np.float32) * top, volume.affine), codes, turn)
    placed = nib.Nifti1Image(np.asarray(turned.dataobj), turned.affine)
    scan = read_nifti(reoriented(volume, "LAS", turn).to_bytes())
    known = with_mask(scan, placed.to_bytes(), "mask.nii")
    assert dice(known.mask, mask) > 0.99
    assert known.brain_by == "mask"
    assert not known.data[~known.mask].any()


@pytest.mark.parametrize(
    ("values", "shift_mm", "message"),
    [
        (0, 0, "mask.nii marks no brain; give a mask, above 0 in the brain and 0 outside."),
        (-1, 0, "mask.nii has values below 0; give a mask, 0 outside of what it marks"),
        (1, 400, "0 % of mask.nii lies in head; give a mask drawn on this scan"),
    ],
)
def test_a_mask_that_cannot_be_the_brain_is_one_sentence(head, values, shift_mm, message):
    volume, mask = head
    affine = volume.affine.copy()
    affine[0, 3] += shift_mm
    content = map_to_nifti(values * mask.astype(np.float32), Volume(volume.data, affine))
    with pytest.raises(ScanError, match=message):
        with_mask(volume, content, "mask.nii")


@pytest.mark.parametrize(
    ("top", "said"),
    [
        (1, "mask.nii has values between 0 and 1; those above 0.5 count."),
        (255, r"mask.nii has \d+ different values up to 255, as a picture has; give a mask."),
    ],
)
def test_a_smoothed_mask_of_the_brain_is_cut_at_one_half_and_said_or_refused(head, top, said):
    volume, mask = head
    smooth = np.clip(ndimage.gaussian_filter(mask.astype(np.float32), 1), 0, 1) * top
    content = map_to_nifti(smooth, volume)
    if top == 1:
        known = with_mask(volume, content, "mask.nii")
        assert dice(known.mask, mask) > 0.98
        assert known.notes[-1] == said
    else:
        with pytest.raises(ScanError, match=said):
            with_mask(volume, content, "mask.nii")


def test_heads_are_scored_as_their_owner_wants(head, tiny_checkpoint_folder, tmp_path, capsys):
    volume, mask = head
    path, out = tmp_path / "head.nii.gz", tmp_path / "maps"
    nib.save(reoriented(volume, "LAS"), path)
    arguments = ["score", str(path), "--checkpoint", str(tiny_checkpoint_folder), "--scorers", "residual", "--out", str(out)]

    assert main([*arguments, "--no-strip"]) == 2
    assert capsys.readouterr().err.startswith("head.nii.gz is a whole head; ")

    assert main(arguments) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert "head.nii.gz: This is a whole head: the brain was extracted first; check its outline.\n" in said.out
    assert json.loads((out / "head_scores.json").read_text())["brain_found_by"] == "networks"
    outline = nib.load(out / "head_brain.nii.gz")
    np.testing.assert_array_equal(outline.affine, nib.load(path).affine)
    found = outline.get_fdata()[::-1] > 0  # LAS to RAS
    assert dice(found, mask) > 0.95
    marked = nib.load(out / "head_residual.nii.gz").get_fdata()[::-1] != 0
    assert not (marked & ~found).any()
    assert dice(marked, mask) > 0.94

    corrected = map_to_nifti(mask.astype(np.float32), volume)
    (out / "head_brain.nii.gz").write_bytes(corrected)
    assert main([*arguments, "--mask", str(out / "head_brain.nii.gz")]) == 0
    assert (out / "head_brain.nii.gz").read_bytes() == corrected, "what its owner corrected stays"
    assert json.loads((out / "head_scores.json").read_text())["brain_found_by"] == "mask"
    marked = nib.load(out / "head_residual.nii.gz").get_fdata()[::-1] != 0
    assert not (marked & ~mask).any()
