"""A field that was put on a brain is taken off again, and nothing else is changed."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.support.scans import scan_file
from vaead_core.__main__ import main
from vaead_core.cohorts.synthetic import synthetic_brain
from vaead_core.errors import ScanError
from vaead_core.scans.bias import NOTE, bias_corrected, bias_field
from vaead_core.scans.volume import Volume


@pytest.fixture(scope="module")
def brain() -> Volume:
    return synthetic_brain(7, 0, 40.0)


@pytest.fixture(scope="module")
def coarse(brain) -> Volume:
    """Every third voxel of it, 6 mm apart: N4 takes a third of the time."""
    return Volume(np.ascontiguousarray(brain.data[::3, ::3, ::3]), brain.affine @ np.diag([3.0, 3, 3, 1]), brain.name)


def field(shape: tuple[int, ...]) -> np.ndarray:
    i, j, k = np.meshgrid(*(np.linspace(-1, 1, length) for length in shape), indexing="ij")
    return np.exp(0.3 * (i + 0.5 * j - 0.8 * k**2)).astype(np.float32)


def test_a_smooth_field_is_found(brain):
    made = field(brain.data.shape)
    uneven = replace(brain, data=brain.data * made)
    of_uneven = bias_field(uneven)
    found = np.log(of_uneven / bias_field(brain))[brain.mask]
    left = np.log(made)[brain.mask] - found
    assert left.std() < 0.3 * np.log(made)[brain.mask].std()
    assert of_uneven[brain.mask].mean() == pytest.approx(1, abs=1e-4)


def test_the_same_scan_has_the_same_field_and_keeps_its_background(coarse):
    shifted = Volume(np.where(coarse.mask, coarse.data + 100, 100).astype(np.float32), coarse.affine)
    once, again = bias_corrected(shifted), bias_corrected(shifted)
    np.testing.assert_array_equal(once.data, again.data)
    assert (once.data[~shifted.mask] == 100).all()
    np.testing.assert_allclose(once.data - 100, bias_corrected(coarse).data, rtol=1e-3, atol=1e-2)
    assert once.mask.sum() == coarse.mask.sum()


def test_a_scan_without_values_is_said():
    with pytest.raises(ScanError, match="No bias field could be found in flat; leave its correction out"):
        bias_field(Volume(np.zeros((8, 8, 8), np.float32), np.eye(4), "flat"))


def test_a_scan_is_scored_without_its_field_and_that_is_said(coarse, tiny_checkpoint_folder, tmp_path, capsys):
    uneven = replace(coarse, data=coarse.data * field(coarse.data.shape))
    (tmp_path / "scan.nii").write_bytes(scan_file(uneven))
    arguments = ["score", str(tmp_path / "scan.nii"), "--checkpoint", str(tiny_checkpoint_folder), "--scorers", "voxel_atlas"]
    scores = {}
    for way in ("", "--n4"):
        assert main([*arguments, "--out", str(tmp_path / f"out{way}"), *filter(None, [way])]) == 0
        record = json.loads((tmp_path / f"out{way}" / "scan_scores.json").read_text())
        assert (NOTE in record["warnings"]) == bool(way)
        scores[way] = record["scorers"]["voxel_atlas"]["scan"]["top10"]
    assert f"scan.nii: {NOTE}\n" in capsys.readouterr().out
    even = tmp_path / "even.nii"
    even.write_bytes(scan_file(bias_corrected(uneven)))
    assert main([arguments[0], str(even), *arguments[2:], "--out", str(tmp_path)]) == 0
    expected = json.loads((tmp_path / "even_scores.json").read_text())["scorers"]["voxel_atlas"]["scan"]["top10"]
    assert scores["--n4"] == pytest.approx(expected, rel=1e-3)
    assert abs(scores["--n4"] - scores[""]) > 0.01
