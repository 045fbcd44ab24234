"""Detection limits of a study's scans: a file of each, and columns of the table, where they are asked for."""

from __future__ import annotations

import csv
import json

import pytest

from tests.support.bids import put
from tests.support.scans import scan_file
from vaead_core.__main__ import main
from vaead_core.pipeline.limits import measuring
from vaead_core.pipeline.limits.table import SPOKEN_OF

MAP = "voxel_atlas"
THEIRS = [f"{MAP}_{what}" for what in ("sensitivity", "size_50", "size_80")]


@pytest.fixture
def study(brain_volume, tiny_checkpoint_folder, tmp_path, monkeypatch):
    """Arguments of a study of one scan, and its folder of results; few lesions are painted."""
    monkeypatch.setattr(measuring.detection_limits, "__defaults__", (0, 1))
    put(tmp_path / "raw", "sub-01/anat/sub-01_T1w.nii", scan_file(brain_volume))
    out = tmp_path / "out"
    options = ["participant", "--checkpoint", str(tiny_checkpoint_folder), "--scorers", MAP, "kl"]
    return [str(tmp_path / "raw"), str(out), *options], out


def table(arguments, out) -> tuple[dict[str, str], dict[str, dict]]:
    assert main([*arguments[:2], "group"]) == 0
    with (out / "group.tsv").open() as lines:
        (row,) = csv.DictReader(lines, delimiter="\t")
    return row, json.loads((out / "group.json").read_text())


def test_limits_of_a_scan_lie_beside_its_maps_and_in_the_groups_table(study):
    arguments, out = study
    assert main([*arguments, "--limits"]) == 0
    limits = json.loads((out / "sub-01/anat/sub-01_limits.json").read_text())
    assert list(limits["scorers"]) == [MAP], "kl has no map"
    record = json.loads((out / "sub-01/anat/sub-01_scores.json").read_text())
    assert "sub-01/anat/sub-01_limits.json" in record["files"]
    row, columns = table(arguments, out)
    these = [one for one in limits["lesions"] if one["look"] == SPOKEN_OF]
    assert float(row[THEIRS[0]]) == pytest.approx(sum(bool(one["found_by"]) for one in these) / len(these), rel=1e-4)
    for share, name in zip(("0.5", "0.8"), THEIRS[1:], strict=True):
        ml = limits["scorers"][MAP]["size_found_ml"][SPOKEN_OF][share]["ml"]
        assert row[name] == ("n/a" if ml is None else f"{ml:.6g}")
        assert columns[name]["Units"] == "mL"


def test_they_are_measured_only_where_they_are_asked_for_and_go_with_the_option(study):
    arguments, out = study
    assert main([*arguments, "--limits"]) == 0
    assert main(arguments) == 0
    assert not list(out.rglob("*_limits.json")), "what was made with other options is made anew"
    row, columns = table(arguments, out)
    assert not {*THEIRS} & {*row, *columns}
