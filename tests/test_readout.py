"""Maps read at a healthy threshold: what is counted, against masks whose answer is known, and the recorded table."""

import json

import numpy as np
import pandas as pd
import pytest

from vaead_core.__main__ import main
from vaead_core.experiments import painted, readout, readout_table
from vaead_core.experiments.readout import HEALTHY, RATES, SIZES, THRESHOLDS, Reading, ReadoutPart
from vaead_core.experiments.records import ALL


def test_components_share_faces_and_the_smallest_are_left_out():
    marked = np.zeros((12, 12, 12), bool)
    marked[:2, :2, :2] = True  # 8 voxels of 8 mm³
    marked[2:5, 2:4, 2:4] = True  # 12 voxels that touch the first by a corner alone
    marked[8, 8, :6] = True  # 6 voxels: 0.048 ml
    labels, volumes_ml = readout.components(marked, 2)
    np.testing.assert_allclose(volumes_ml, [0.064, 0.096])
    assert (labels[0, 0, 0], labels[3, 3, 3], labels[8, 8, 0], labels[0, 11, 0]) == (1, 2, 0, 0)


def test_a_lesion_is_found_from_a_tenth_of_its_voxels():
    labels = np.zeros(50, int)
    labels[:10], labels[10:30] = 1, 2
    marked = np.zeros(50, bool)
    marked[[0, 10, 40]] = True
    assert readout.found_lesions(marked, labels, 2).tolist() == [True, False]
    marked[11] = True
    assert readout.found_lesions(marked, labels, 2).tolist() == [True, True]


def reading(subject, kind, size, value, count, twin=0.0):
    return Reading("sensitivity", "residual", 0.05, kind, "20% darker", size, subject, "model", 0, value, count, twin)


def test_the_table_sums_a_subjects_lesions_before_it_means_over_subjects():
    found = [
        *(reading("a", "mass", SIZES[3], hit, 1) for hit in (1, 0)),
        reading("a", "cortical", SIZES[3], 2, 2, 1),
        reading("b", "mass", SIZES[3], 1, 1),
        reading("b", "mass", SIZES[0], 0, 3),
    ]
    rows = readout_table.table("readout", found).set_index(["dataset", "size"])
    assert rows.loc[("mass", SIZES[3]), "value"] == pytest.approx((0.5 + 1) / 2)
    assert rows.loc[(ALL, SIZES[3]), "value"] == pytest.approx((0.75 + 1) / 2)
    assert rows.loc[(ALL, SIZES[3]), "twin"] == pytest.approx((0.25 + 0) / 2)
    assert rows.loc[(ALL, ALL), "value"] == pytest.approx((0.75 + 0.25) / 2)
    assert rows.loc[(ALL, ALL), ["count", "subject_count", "low", "high"]].tolist() == [8, 2, 0.25, 0.75]


@pytest.fixture(scope="module")
def subjects(tiny_checkpoint_folder):
    return json.loads((tiny_checkpoint_folder / "checkpoint.json").read_text())["data"]


@pytest.fixture
def few_changes(monkeypatch):
    """Of every kind of lesion the first two changes, painted where they would be among all."""
    kinds = {kind: dict(list(combinations.items())[:2]) for kind, combinations in painted.KINDS.items()}
    monkeypatch.setattr(painted, "KINDS", kinds)
    return kinds


def part(folder, subject, kind, *scorers):
    return ReadoutPart(str(folder), "synthetic:4", subject, kind, 0, scorers)


def test_a_threshold_marks_its_share_of_the_brain_it_was_taken_from(tiny_checkpoint_folder, subjects):
    (validation,) = subjects["validation"]
    found = part(tiny_checkpoint_folder, validation, HEALTHY, "residual").measure()
    marked = {one.threshold: one.value / one.count for one in found if one.measure == "marked"}
    assert list(marked) == list(RATES)
    for rate, share in marked.items():
        assert share == pytest.approx(rate, abs=0.001), "the stored quantiles are a thousandth apart"
    counted = {one.threshold: one.value for one in found if one.measure == "false_positives"}
    assert set(counted) == set(THRESHOLDS)
    assert all(value > 0 for value in counted.values())


def test_painted_lesions_are_found_where_the_healthy_twin_shows_little(tiny_checkpoint_folder, subjects, request):
    found = part(tiny_checkpoint_folder, subjects["test"][0], "mass", "voxel_atlas").measure()
    few = request.getfixturevalue("few_changes")["mass"]
    again = part(tiny_checkpoint_folder, subjects["test"][0], "mass", "voxel_atlas").measure()
    assert again == [one for one in found if one.combination in few]
    for measure in ("dice", "sensitivity"):
        these = [one for one in found if one.measure == measure]
        assert all(0 <= one.value <= one.count and 0 <= one.twin <= one.count for one in these)
        assert sum(one.value for one in these) > 3 * sum(one.twin for one in these), "an atlas of two brains is a weak one"


def test_the_command_records_its_own_table(few_changes, tiny_checkpoint_folder, tmp_path, capsys):
    arguments = ["--checkpoint", str(tiny_checkpoint_folder), "--data", "synthetic:4", "--scores", "voxel_atlas", "residual"]
    assert main(["evaluate", "readout", *arguments, "--out", str(tmp_path)]) == 0
    assert "rows from" in capsys.readouterr().out
    rows = pd.read_csv(tmp_path / "readout.csv")
    assert tuple(rows.columns) == readout_table.COLUMNS
    assert set(rows["scorer"]) == {"voxel_atlas", "residual"}
    assert set(rows["measure"]) == {"dice", "sensitivity", "false_positives", "marked"}
    assert "evaluate readout --checkpoint tiny" in json.loads((tmp_path / "readout.json").read_text())["command"]
