"""The brain of a head where it is known, and as deepbet itself finds it."""

import warnings

import nibabel as nib
import numpy as np
import pytest
from deepbet.bet import BrainExtraction
from scipy import ndimage

from tests.support.scans import reoriented
from training.brain_extraction import convert
from vaead_core.__main__ import main
from vaead_core.cohorts.synthetic import synthetic_brain
from vaead_core.errors import ScanError
from vaead_core.scans.nifti import read_nifti
from vaead_core.scans.stripping import NETWORKS, brain_mask, strip
from vaead_core.scans.volume import Volume


@pytest.fixture(scope="module")
def head() -> tuple[Volume, np.ndarray]:
    """A synthetic brain in 3 mm of fluid, 6 mm of dark skull, 7 mm of bright scalp and noisy air, off the middle; its mask."""
    brain = synthetic_brain(7, 0, 40.0)
    before, after = np.array([20, 6, 14]), np.array([4, 18, 8])
    affine = brain.affine.copy()
    affine[:3, 3] -= affine[:3, :3] @ before
    data = np.pad(brain.data, np.stack([before, after], 1))
    mask = ndimage.binary_fill_holes(data > 0)
    outside_mm = ndimage.distance_transform_edt(~mask, sampling=2)
    bright = np.percentile(data[mask], 90)
    shells = np.select([outside_mm <= 3, outside_mm <= 9, outside_mm <= 16], [0.25 * bright, 0.08 * bright, 1.3 * bright], 0)
    noise = np.random.default_rng(0).normal(0, 0.02 * bright, data.shape)
    whole = np.abs(np.where(mask, data, ndimage.gaussian_filter(shells, 0.5)) + noise)
    return Volume(whole.astype(np.float32), affine, "head"), mask


def dice(one: np.ndarray, other: np.ndarray) -> float:
    return 2 * (one & other).sum() / (one.sum() + other.sum())


@pytest.mark.parametrize(("codes", "turn"), [("RAS", 0), ("LAS", 0), ("PSR", 10)])
def test_the_brain_is_found_and_left_stays_left_however_the_head_is_stored(head, codes, turn):
    volume, mask = head
    scan = read_nifti(reoriented(volume, codes, turn).to_bytes())
    stripped = strip(scan)
    found = stripped.data != 0
    assert dice(found, mask) > 0.94
    assert dice(found[::-1], mask) < 0.85, "the head is off the middle: a mirrored mask would not fit"
    np.testing.assert_array_equal(stripped.data[found], scan.data[found])
    np.testing.assert_array_equal(stripped.affine, scan.affine)
    assert stripped.native is scan.native


def test_a_whole_head_is_scored_with_strip_and_refused_without(head, tiny_checkpoint_folder, tmp_path, capsys):
    volume, mask = head
    path = tmp_path / "head.nii.gz"
    nib.save(reoriented(volume, "LAS"), path)
    out = tmp_path / "maps"
    arguments = ["score", str(path), "--checkpoint", str(tiny_checkpoint_folder), "--scorers", "residual", "--out", str(out)]
    assert main(arguments) == 2
    assert "head.nii.gz looks like a whole head" in capsys.readouterr().err
    assert main([*arguments, "--strip"]) == 0
    assert capsys.readouterr().err == ""
    image = nib.load(out / "head_residual.nii.gz")
    np.testing.assert_array_equal(image.affine, nib.load(path).affine)
    marked = image.get_fdata()[::-1] != 0  # LAS to RAS
    assert dice(marked, mask) > 0.94
    assert dice(marked[::-1], mask) < 0.85


def test_a_scan_without_a_brain_is_said():
    ball = np.linalg.norm(np.indices((60, 60, 60)) - 30, axis=0) < 5
    with pytest.raises(ScanError, match="No brain was found in ball"):
        strip(Volume(ball.astype(np.float32), np.diag([2.0, 2, 2, 1]), "ball"))


@pytest.mark.parametrize("step", [1, 2], ids=["1 slice", "every second slice"])
def test_the_mask_is_that_of_deepbet_itself(head, step):
    volume, _ = head
    thick = Volume(np.ascontiguousarray(volume.data[:, :, ::step]), volume.affine @ np.diag([1.0, 1, step, 1]), "head")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit", DeprecationWarning)
        _, theirs, _ = BrainExtraction(no_gpu=True).run(nib.Nifti1Image(thick.data, thick.affine))
    assert dice(brain_mask(thick), np.asarray(theirs.dataobj) > 0) > 0.999


def test_the_networks_are_those_that_deepbet_holds(tmp_path):
    convert(tmp_path)
    for made in sorted(tmp_path.iterdir()):
        assert made.read_bytes() == (NETWORKS / made.name).read_bytes(), made.name
    assert {made.name for made in tmp_path.iterdir()} == {"where.onnx", "outline.onnx", "LICENSE"}
