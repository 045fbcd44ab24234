"""The brain of a head where it is known, and as deepbet itself finds it."""

import warnings

import nibabel as nib
import numpy as np
import pytest
from deepbet.bet import BrainExtraction

from tests.support.heads import head_around
from tests.support.scans import reoriented
from training.brain_extraction import convert
from vaead_core.cohorts.synthetic import synthetic_brain
from vaead_core.errors import ScanError
from vaead_core.measures.metrics import dice
from vaead_core.scans.nifti import read_nifti
from vaead_core.scans.stripping import NETWORKS, brain_mask, only, strip
from vaead_core.scans.volume import Volume


@pytest.mark.parametrize(("codes", "turn"), [("RAS", 0), ("LAS", 0), ("PSR", 10)])
def test_the_brain_is_found_and_left_stays_left_however_the_head_is_stored(head, codes, turn):
    volume, mask = head
    scan = read_nifti(reoriented(volume, codes, turn).to_bytes())
    stripped = strip(scan)
    assert dice(stripped.brain, mask) > 0.95
    assert dice(stripped.brain[::-1], mask) < 0.9, "the head is off the middle: a mirrored mask would not fit"
    np.testing.assert_array_equal(stripped.data[stripped.brain], scan.data[stripped.brain])
    assert not stripped.data[~stripped.brain].any()
    np.testing.assert_array_equal(stripped.affine, scan.affine)
    assert stripped.native is scan.native


@pytest.mark.parametrize(("air", "body", "brain"), [("zero", True, 1), ("noise", False, 2), ("zero", False, 3)])
def test_the_brain_is_found_in_other_heads(air, body, brain):
    volume, mask = head_around(synthetic_brain(7, brain, 60.0), air, body)
    assert dice(brain_mask(volume), mask) > 0.95


def test_what_is_outside_lies_below_a_brain_that_has_values_below_0(head):
    volume, mask = head
    stripped = only(mask, Volume(volume.data - 500, volume.affine), "networks")
    assert (stripped.data[~stripped.brain] == stripped.data.min()).all()
    assert stripped.data.min() == volume.data.min() - 500


def test_a_scan_without_a_brain_is_said():
    ball = np.linalg.norm(np.indices((60, 60, 60)) - 30, axis=0) < 5
    with pytest.raises(ScanError, match="No brain was found in ball; give"):
        strip(Volume(ball.astype(np.float32), np.diag([2.0, 2, 2, 1]), "ball"))


@pytest.mark.parametrize("step", [1, 3], ids=["2 mm", "6 mm slices"])
def test_the_mask_is_that_of_deepbet_itself(head, step):
    volume, _ = head
    thick = Volume(np.ascontiguousarray(volume.data[:, :, ::step]), volume.affine @ np.diag([1.0, 1, step, 1]), "head")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit", DeprecationWarning)
        _, theirs, _ = BrainExtraction(no_gpu=True).run(nib.Nifti1Image(thick.data, thick.affine))
    assert dice(strip(thick).brain, np.asarray(theirs.dataobj) > 0) > 0.999


def test_the_networks_are_those_that_deepbet_holds(tmp_path):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit", DeprecationWarning)
        convert(tmp_path)
    for made in sorted(tmp_path.iterdir()):
        assert made.read_bytes() == (NETWORKS / made.name).read_bytes(), made.name
    assert {made.name for made in tmp_path.iterdir()} == {"where.onnx", "outline.onnx", "LICENSE"}
