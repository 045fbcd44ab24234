"""Explore's comparison of two checkpoints, two scans or two thresholds, a script run after the other."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.cached import scans as cached_scans
from pages.shared.comparison import asking, second_scan
from pages.shared.comparison.view import BY_ONE, DIFFERENCE, OF_PERCENTILES, WHAT_IT_IS_NOT
from pages.shared.explore import state as explore_state
from pages.shared.server.cache import kept
from tests.support.scans import scan_file
from vaead_core.cohorts.synthetic import synthetic_brain

ROOT = Path(__file__).resolve().parents[1]
PATCHES = "brain-patches-2mm"


def compared(kind: str, **state) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=240)
    app.session_state.explore_drawn = True  # no browser draws here
    app.session_state.methods = ["residual", "voxel_atlas"]
    app.session_state.compare = kind
    for name, value in state.items():
        app.session_state[name] = value
    app.run()
    assert not app.exception
    assert not app.error
    return app


def shown(app: AppTest) -> dict:
    """What the viewer was given."""
    return json.loads(app.get("bidi_component")[-1].proto.json)


def names(app: AppTest) -> list[str]:
    return [layer["name"] for layer in shown(app)["layers"]]


def figures(app: AppTest):
    [found] = [table.value for table in app.table if list(table.value.columns) == ["First", "Second"]]
    return found


def said(app: AppTest) -> str:
    return " ".join(one.value for one in app.caption)


@pytest.fixture
def two_checkpoints(tiny_checkpoint_folder, tmp_path, monkeypatch):
    """The tiny one, and the patch model that ships."""
    (tmp_path / PATCHES).symlink_to(ROOT / "checkpoints" / PATCHES)
    (tmp_path / "tiny").symlink_to(tiny_checkpoint_folder)
    monkeypatch.setenv("VAEAD_CHECKPOINTS", str(tmp_path))
    monkeypatch.setenv("VAEAD_SHIPPED", "off")


@pytest.mark.shows(43)
def test_two_checkpoints_are_compared_on_one_scan_by_percentiles_where_units_differ(two_checkpoints):
    app = compared(asking.CHECKPOINT, checkpoint="tiny")
    assert app.selectbox(key="pair_checkpoint").value == PATCHES
    assert names(app) == ["First: tiny", f"Second: {PATCHES}", DIFFERENCE]
    assert shown(app)["layers"][2]["unit"] == "difference, intensity"
    assert OF_PERCENTILES not in said(app)
    assert list(figures(app).loc["Checkpoint"]) == ["tiny", PATCHES]
    app.selectbox(key="pair_second_map").set_value("patch_error").run()
    assert not app.exception
    assert names(app)[1] == f"Second: {PATCHES}, Patch reconstruction error"
    assert shown(app)["layers"][2]["unit"] == "difference, percentile points"
    assert OF_PERCENTILES in said(app)
    app.selectbox(key="pair_map").set_value("voxel_atlas").run()
    assert app.selectbox(key="pair_second_map").value == "voxel_atlas", "the same method again"


@pytest.mark.shows(43)
def test_a_second_scan_is_a_sample_or_a_file_and_what_the_difference_is_not_is_said(checkpoints, brain_volume):
    app = compared(asking.SCAN, pair_sample="healthy brain B")
    assert names(app) == ["First: Healthy brain B with a painted lesion", "Second: Healthy brain B", DIFFERENCE]
    assert shown(app)["layers"][2]["unit"] == "difference, intensity"
    assert shown(app)["truth"] is None, "it is the first one's alone"
    assert WHAT_IT_IS_NOT in said(app)
    bases = [layer["base"]["digest"] for layer in shown(app)["layers"]]
    assert len(set(bases)) == 3, "each over its own scan, and the difference over the brain of both"
    app.selectbox(key="pair_sample").set_value(second_scan.FILE).run()
    assert second_scan.LACKING in [one.value for one in app.info]
    assert "Voxel atlas (baseline)" in names(app), "the first alone"
    uploader = next(one for one in app.file_uploader if one.key == "second")
    uploader.set_value(("follow.nii", scan_file(brain_volume), "application/octet-stream")).run()
    assert not app.exception
    assert not app.error
    assert names(app)[1] == "Second: follow.nii"
    assert list(figures(app).loc["Scan"]) == ["healthy brain B with a painted lesion", "follow.nii"]


def test_a_second_file_that_is_no_scan_is_one_sentence_beside_the_first(checkpoints):
    app = compared(asking.SCAN, pair_sample=second_scan.FILE)
    uploader = next(one for one in app.file_uploader if one.key == "second")
    uploader.set_value(("notes.nii", b"this is text, not a scan", "application/octet-stream")).run()
    assert not app.exception
    assert [one.value for one in app.error] == [
        "notes.nii is not a NIfTI file; vaead reads .nii and .nii.gz (NIfTI-1 or NIfTI-2)."
    ]
    assert "Voxel atlas (baseline)" in names(app)


def test_a_session_holds_one_second_file_and_lets_go_of_what_was_made_of_it(checkpoints, brain_volume):
    def opened() -> set[str]:
        return {scan.name for scan in kept(cached_scans.uploaded)}

    app = compared(asking.SCAN, pair_sample=second_scan.FILE)
    for name, gain in (("one.nii", 1.7), ("two.nii", 1.9)):
        uploader = next(one for one in app.file_uploader if one.key == "second")
        uploader.set_value((name, scan_file(brain_volume, gain), "application/octet-stream")).run()
        assert not app.error
    assert app.session_state.second_scans == {hashlib.blake2b(scan_file(brain_volume, 1.9)).hexdigest()}
    assert "two.nii" in opened()
    assert "one.nii" not in opened()
    own = scan_file(synthetic_brain(7, 0, 40.0))
    app.file_uploader[0].set_value(("own.nii", own, "application/octet-stream")).run()
    assert names(app)[:2] == ["First: own.nii", "Second: two.nii"], "another first scan leaves the second"


@pytest.mark.shows(43)
def test_one_map_at_two_thresholds_shows_what_one_of_them_alone_marks(checkpoints):
    app = compared(asking.THRESHOLD)
    assert names(app) == ["First threshold", "Second threshold", BY_ONE]
    given = shown(app)["thresholds"]
    assert given["First threshold"] < given["Second threshold"]
    assert [layer["isPaired"] for layer in shown(app)["layers"]] == [True, True, False]
    assert list(figures(app).loc["Marked of healthy ones"]) == ["5.0 %", "1.0 %"]
    assert shown(app)["truth"], "the scan is one, and so is its truth"


def test_an_address_restores_a_comparison_with_its_thresholds_and_crosshair(checkpoints):
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=240)
    address = {"compare": asking.SCAN, "pair_sample": "MS patient", "at": "51.46.47", "pair_above": "0.25~0.5"}
    for name, value in address.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    assert names(app)[:2] == ["First: Healthy brain B with a painted lesion", "Second: MS patient"]
    assert list(shown(app)["thresholds"].values()) == [0.25, 0.5]
    assert app.query_params["at"] in ("51.46.47", ["51.46.47"])
    assert app.query_params["pair_above"] in ("0.25~0.5", ["0.25~0.5"])


def test_explore_goes_on_at_the_comparisons_crosshair(checkpoints):
    app = compared(asking.THRESHOLD)
    cursor, jumps = app.session_state.explore_cursor, app.session_state.explore_jumps
    app.selectbox(key="compare").set_value(asking.NOTHING).run()
    assert not app.exception
    assert (app.session_state.explore_start, app.session_state.explore_jumps) == (cursor, jumps + 1)
    assert "pair_above" not in app.query_params
    assert explore_state.AT in app.query_params


def test_where_there_is_no_other_checkpoint_the_first_is_shown_and_that_is_said(checkpoints):
    app = compared(asking.CHECKPOINT)
    assert asking.NO_OTHER in [one.value for one in app.info]
    assert "Residual" in names(app)


def test_the_tour_begins_without_a_comparison(checkpoints):
    app = compared(asking.THRESHOLD)
    app.button(key="tour_begin").click().run()
    assert not app.exception
    assert app.selectbox(key="compare").value == asking.NOTHING
    assert BY_ONE not in names(app)


def test_a_second_whole_head_is_extracted_and_its_outline_shown(checkpoints, head):
    head, _ = head
    app = compared(asking.SCAN, pair_sample=second_scan.FILE)
    uploader = next(one for one in app.file_uploader if one.key == "second")
    uploader.set_value(("DOE.nii", scan_file(head), "application/octet-stream")).run()
    assert not app.exception
    assert not app.error
    assert any("Second: This is a whole head: the brain was extracted first" in one.value for one in app.warning)
    assert [one.proto.popover.label for one in app.sidebar.get("popover")] == ["Outline of the brain"]
    assert app.sidebar.caption[0].value.endswith("upload the brain alone.")
