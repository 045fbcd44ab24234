"""The cohort page: a study of the server, what is asked of its table, two groups, and scans of one's own."""

import base64
import gzip
import io
import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from pages.shared.cohort import judging, own, rows
from pages.shared.cohort import table as table_view
from pages.shared.scan_input import YOURS
from pages.shared.server import jobs, sessions
from tests.support.bids import FEW_MAPS
from tests.support.scans import scan_file
from tests.support.waiting import PATIENCE_SECONDS, until
from vaead_core.cohorts.synthetic import synthetic_brain
from vaead_core.figures.mosaic import TILE
from vaead_core.study.verdicts import verdicts_tsv

ROOT = Path(__file__).resolve().parents[1]
SCANS = ["sub-01_ses-1", "sub-01_ses-2", "sub-02_run-1", "sub-02_run-2", "sub-03", "sub-04", "sub-05"]


@pytest.fixture(scope="module")
def data(checkpoints, tiny_study):
    """A data folder with a study and its results."""
    return tiny_study.parent


@pytest.fixture
def app(data, monkeypatch):
    monkeypatch.setenv("VAEAD_DATA", str(data))
    return opened()


def opened(page: str = "cohort") -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / f"{page}.py"), default_timeout=240).run()
    assert not app.exception
    return app


def control(app: AppTest, kind: str, label: str):
    (found,) = [one for one in app.get(kind) if one.label == label]
    return found


def seen(app: AppTest, column: str = "scan") -> list:
    assert not app.exception
    return list(app.dataframe[0].value[column])


def test_a_study_is_shown_with_states_notes_people_and_pictures(app):
    assert not app.error
    assert app.selectbox(key="cohort_folder").value == "study/derivatives/vaead"
    assert seen(app) == SCANS
    assert seen(app, "state") == ["scored"] * 4 + ["failed"] * 3
    assert seen(app, "group")[:2] == ["control"] * 2
    assert "damaged or cut-off gzip" in seen(app, rows.NOTES)[4]
    pictures = seen(app, rows.PICTURE)
    assert all(one.startswith("data:image/webp;base64,") for one in pictures[:4])
    assert len(set(pictures[:2])) == 1, "one brain, though one file is brighter"
    assert pictures[1] != pictures[2]
    said = app.caption[1].value
    assert said.startswith("7 scans: 4 scored, 3 failed. Pictures: ")
    assert "Left out, as T2w is not T1w" in said


def test_filters_leave_the_rows_that_were_asked_for(app):
    control(app, "text_input", "Search").set_value("cut-off GZIP").run()
    assert seen(app) == ["sub-03"]
    control(app, "text_input", "Search").set_value("").run()
    control(app, "multiselect", "State").set_value(["failed"]).run()
    assert seen(app) == SCANS[4:]
    assert control(app, "selectbox", "Column of participants.tsv").value == "group"
    control(app, "multiselect", "Its values").set_value(["patient"]).run()
    assert seen(app) == ["sub-03", "sub-05"]
    control(app, "text_input", "Search").set_value("no row says so").run()
    assert not app.dataframe
    assert app.info[0].value == "None of 7 scans is left by these filters; take one away."
    control(app, "text_input", "Search").set_value("").run()
    control(app, "multiselect", "State").set_value([]).run()
    control(app, "multiselect", "Its values").set_value(["not known"]).run()
    assert seen(app) == ["sub-02_run-1", "sub-02_run-2"]
    control(app, "multiselect", "Its values").set_value([]).run()
    control(app, "toggle", "Only with notes").set_value(True).run()
    assert set(SCANS[4:]) <= set(seen(app))
    assert all(isinstance(note, str) for note in seen(app, rows.NOTES))


def test_order_and_pages_are_of_all_rows_and_pictures_of_those_that_are_shown(app, monkeypatch):
    monkeypatch.setattr(table_view, "ROWS", 3)
    app.run()
    assert seen(app) == SCANS[:3]
    control(app, "selectbox", "Sort by").set_value("scan").run()
    control(app, "toggle", "Highest first").set_value(True).run()
    assert seen(app) == SCANS[:-4:-1]
    control(app, "number_input", "Page, of 3").set_value(3).run()
    assert seen(app) == ["sub-01_ses-1"]
    control(app, "multiselect", "State").set_value(["scored"]).run()
    assert seen(app) == ["sub-02_run-2", "sub-02_run-1", "sub-01_ses-2"], "there is no third page any more"
    control(app, "selectbox", "Pictures of").set_value("").run()
    assert seen(app) == SCANS[3::-1], "all at once, in the same order"
    assert rows.PICTURE not in app.dataframe[0].value.columns


def test_columns_are_chosen(app):
    control(app, "multiselect", "Columns").set_value(["scan", "same_as"]).run()
    assert seen(app, "same_as")[3] == "sub-02_run-1"
    assert "group" not in app.dataframe[0].value.columns


def test_without_a_data_folder_or_results_in_it_the_page_says_what_to_do(checkpoints, tmp_path, monkeypatch):
    monkeypatch.delenv("VAEAD_DATA", raising=False)
    app = opened()
    assert app.segmented_control(key="cohort_source").value == "Your own scans"
    app.segmented_control(key="cohort_source").set_value("A study on the server").run()
    assert (
        app.info[0]
        .value.replace("\\", "")
        .startswith("This server shows no study: whoever runs it names a data folder by $VAEAD_DATA")
    )
    (tmp_path / "other").mkdir()
    said = {"Name": "x", "GeneratedBy": [{"Name": "fMRIPrep"}]}
    (tmp_path / "other/dataset_description.json").write_text(json.dumps(said))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/dataset_description.json").write_text("{")
    monkeypatch.setenv("VAEAD_DATA", str(tmp_path))
    app = opened()
    assert not app.error
    assert "vaead BIDS\\_DIR OUT participant makes them" in app.info[0].value


def test_a_dataset_outside_of_the_data_folder_is_not_read(data, tmp_path, monkeypatch):
    out = tmp_path / "results"
    shutil.copytree(data / "study/derivatives/vaead", out)
    said = json.loads((out / "dataset_description.json").read_text())
    (out / "dataset_description.json").write_text(json.dumps(said | {"DatasetLinks": {"raw": str(data / "study")}}))
    monkeypatch.setenv("VAEAD_DATA", str(tmp_path))
    app = opened()
    assert "is not below the server's data folder" in app.warning[0].value
    assert seen(app) == SCANS
    assert "group" not in app.dataframe[0].value.columns
    assert sum(one.startswith("data:image/webp") for one in seen(app, rows.PICTURE)[:4]) == 4, "the results hold them"
    assert "Select a row to open" not in app.caption[1].value


def test_a_picture_is_that_of_the_chosen_method_and_needs_neither_scan_nor_map(data, tmp_path, monkeypatch):
    out = shutil.copytree(data / "study/derivatives/vaead", tmp_path / "out")
    for path in out.rglob("*.nii.gz"):
        path.unlink()
    monkeypatch.setenv("VAEAD_DATA", str(tmp_path))
    app = opened()
    whole = Image.open(out / "sub-02/figures/sub-02_run-1_desc-mosaic_T1w.webp").convert("L")
    for row, name in enumerate(FEW_MAPS, 1):
        control(app, "selectbox", "Pictures of").set_value(name).run()
        content = base64.b64decode(seen(app, rows.PICTURE)[2].partition(",")[2])
        cut = np.asarray(Image.open(io.BytesIO(content)).convert("L"), float)
        theirs = np.asarray(whole, float)[row * TILE[1] : (row + 1) * TILE[1]]
        assert np.abs(cut - theirs).mean() < 3
    record = json.loads((out / "sub-02/anat/sub-02_run-1_scores.json").read_text())
    assert tuple(record["found"]) == FEW_MAPS, "rows are in this order"


def test_a_picture_that_is_gone_damaged_huge_or_elsewhere_is_none(data, tmp_path, monkeypatch):
    out = shutil.copytree(data / "study/derivatives/vaead", tmp_path / "data/out")
    gone, cut, huge, linked = (next(out.rglob(f"{name}_desc-mosaic_T1w.webp")) for name in SCANS[:4])
    gone.unlink()
    cut.write_bytes(cut.read_bytes()[:500])
    with huge.open("ab") as file:
        file.truncate(1 << 30)
    linked.rename(tmp_path / "elsewhere.webp")
    linked.symlink_to(tmp_path / "elsewhere.webp")
    monkeypatch.setenv("VAEAD_DATA", str(tmp_path / "data"))
    app = opened()
    assert not app.error
    assert seen(app, "state")[:4] == ["scored"] * 4
    assert seen(app, rows.PICTURE)[:4] == [""] * 4


def test_a_damaged_record_is_one_sentence(data, tmp_path, monkeypatch):
    shutil.copytree(data / "study", tmp_path / "study")
    monkeypatch.setenv("VAEAD_DATA", str(tmp_path))
    (record,) = tmp_path.rglob("sub-02_run-1_scores.json")
    whole = json.loads(record.read_text())
    for damaged in ("{", json.dumps({name: whole[name] for name in ("scan", "participant_id", "sentence", "made_of", "files")})):
        record.write_text(damaged)
        app = opened()
        assert len(app.error) == 1
        assert "run participant again" in app.error[0].value


def choose(app: AppTest, at: int) -> AppTest:
    """Selects a row, as a click does."""
    key = "cohort_" + app.dataframe[0].proto.id.partition("-cohort_")[2]
    app.session_state[key] = {"selection": {"rows": [at], "columns": [], "cells": []}}
    return app.run()


def in_app(data, monkeypatch) -> AppTest:
    monkeypatch.setenv("VAEAD_DATA", str(data))
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=240).run()
    return app.switch_page("pages/cohort.py").run()


def test_a_selected_scan_opens_in_explore_with_its_checkpoint_and_methods(data, monkeypatch):
    app = choose(in_app(data, monkeypatch), 1)
    (button,) = [one for one in app.button if one.label == "Open in Explore"]
    button.click().run()
    assert not app.exception
    assert not app.error
    assert app.header[0].value == "Explore"
    assert app.selectbox(key="sample").value == "your own scan"
    assert app.session_state.kept_upload.name == "sub-01_ses-2_T1w.nii.gz"
    assert "sub-01\\_ses-2\\_T1w.nii.gz: 120" in app.caption[1].value
    assert set(app.session_state.methods) == set(FEW_MAPS)


def test_a_scan_that_links_outside_of_the_data_folder_is_refused(data, tmp_path, monkeypatch):
    shutil.copytree(data / "study", tmp_path / "data/study")
    scan = tmp_path / "data/study/sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz"
    scan.rename(tmp_path / "elsewhere.nii.gz")
    scan.symlink_to(tmp_path / "elsewhere.nii.gz")
    app = choose(in_app(tmp_path / "data", monkeypatch), 0)
    (button,) = [one for one in app.button if one.label == "Open in Explore"]
    button.click().run()
    assert not app.exception
    assert "lies outside of the folder that this server may read" in app.error[0].value
    assert "kept_upload" not in app.session_state


# Groups


def test_two_groups_are_compared_and_too_few_people_are_said(app):
    app.segmented_control(key="cohort_view").set_value("Two groups").run()
    assert not app.exception
    assert app.info[0].value.startswith("Two groups are told apart by a column"), "patients have no maps here"


def test_a_group_column_gives_a_row_a_method_with_prevalence(data, tmp_path, monkeypatch):
    shutil.copytree(data / "study", tmp_path / "study")
    people = tmp_path / "study/participants.tsv"
    people.write_text("participant_id\tgroup\nsub-01\tcontrol\nsub-02\tpatient\n")
    monkeypatch.setenv("VAEAD_DATA", str(tmp_path))
    app = opened()
    app.segmented_control(key="cohort_view").set_value("Two groups").run()
    assert not app.exception
    assert control(app, "selectbox", "Expected to score higher").value == "patient"
    assert app.warning[-1].value.startswith("Of patient 1 and of control 1 people were scored: with fewer than 5 in a group")
    table = app.dataframe[0].value
    assert list(table["People"]) == ["1 and 1"] * len(FEW_MAPS)
    assert list(table["Prevalence"]) == [0.5] * len(FEW_MAPS)
    assert set(table["AUROC, 95 %"]) == {"too few"}
    assert len(app.get("plotly_chart")) == 1
    assert not app.get("image"), "no map is read before it is asked for"
    app.button(key="cohort_difference").click().run()
    assert not app.exception
    assert len(app.get("image")) == 1
    assert app.warning[-1].value.startswith(
        "Maps of 1 person of patient and of 1 person of control: with fewer than 5 in a group"
    )
    said = app.caption[-1].value
    assert said.startswith("Residual: mean of 1 person of patient less that of 1 person of control; whoever has several scans")
    assert "Red: higher in patient; blue: higher in control" in said
    assert "nothing was tested for significance" in said
    app.selectbox(key="cohort_difference_of").set_value("voxel_atlas").run()
    assert not app.get("image"), "another method is another map"
    (way,) = tmp_path.rglob("sub-01_ses-2_from-T1w_to-SRI24_mode-image_xfm.txt")
    way.write_text("a letter")
    app.button(key="cohort_difference").click().run()
    assert not app.exception
    assert "is no way to the atlas that vaead wrote; run participant again" in app.error[0].value


def view(app: AppTest, name: str) -> AppTest:
    app.segmented_control(key="cohort_view").set_value(name).run()
    assert not app.exception
    return app


# Two visits


def test_two_visits_of_one_person_are_compared_in_figures_and_on_the_atlas(app):
    view(app, "Two visits")
    assert control(app, "selectbox", "Person").options == ["sub-01", "sub-02"]
    assert [control(app, "selectbox", f"{which} scan").value for which in ("First", "Second")] == SCANS[:2]
    table = app.dataframe[0].value.set_index("Figure")
    assert list(table.index)[1:] == [
        "Its percentile among healthy scans, %", "Marked volume, mL", "Brain volume, mL", "Similarity to the atlas"
    ]  # fmt: skip
    assert table["Second less first"].abs().max() < 0.01, "one brain, though one file is brighter"
    assert set(table["Between runs of a session"]) == {"none"}
    said = app.caption[1].value
    assert said.startswith("Differences also come from how the head lay, from the scanner and from noise.")
    assert said.endswith("so how much repeated scans differ is not known here."), "two runs that are one file say nothing"
    assert not app.get("image"), "no map is read before it is asked for"
    app.button(key="cohort_visits").click().run()
    assert not app.exception
    assert len(app.get("image")) == 3
    said = [one.value.replace("\\", "") for one in app.caption]
    assert said[2:4] == SCANS[:2]
    assert said[4].startswith("sub-01_ses-2 less sub-01_ses-1. Red: higher in the second; blue: higher in the first;")
    assert "no runs of one session to compare that with" in said[4]
    control(app, "selectbox", "Person").set_value("sub-02").run()
    assert not app.get("image"), "another person has other maps"
    assert app.warning[-1].value == "Both are the same file under two names."
    control(app, "selectbox", "First scan").set_value("sub-02_run-2").run()
    assert control(app, "selectbox", "Second scan").value == "sub-02_run-1", "any order"


def test_a_study_in_which_nobody_has_two_scans_has_no_such_view(data, tmp_path, monkeypatch):
    out = shutil.copytree(data / "study/derivatives/vaead", tmp_path / "one")
    shutil.copytree(data / "study", tmp_path / "two")
    for path in (*out.rglob("*ses-2*_scores.json"), *out.rglob("*run-2*_scores.json")):
        path.unlink()
    monkeypatch.setenv("VAEAD_DATA", str(tmp_path))
    app = opened()
    views = app.segmented_control(key="cohort_view")
    assert app.selectbox(key="cohort_folder").value == "one"
    assert views.options == ["Scans", "Two groups", "Verdicts"]
    app.selectbox(key="cohort_folder").set_value("two/derivatives/vaead").run()
    view(app, "Two visits")
    app.selectbox(key="cohort_folder").set_value("one").run()
    assert not app.exception
    assert app.segmented_control(key="cohort_view").value == "Scans"


# Verdicts


def first_cluster(app: AppTest) -> None:
    """Is selected on Explore, as a click does it."""
    table = next(one.value for one in app.dataframe if "Verdict" in one.value)
    affine = synthetic_brain(7, 0, 40.0).affine
    peak = np.linalg.inv(affine) @ [*table.loc[0, ["R, mm", "A, mm", "S, mm"]].astype(float), 1]
    app.session_state.explore_chosen = tuple(np.rint(peak[:3]).astype(int).tolist())
    app.run()


def judge(app: AppTest, said: str | None, comment: str) -> None:
    [verdict] = [one for one in app.segmented_control if one.label == "Verdict"]
    verdict.set_value(said).run()
    control(app, "text_input", "Comment").set_value(comment).run()
    assert not app.exception


def test_a_verdict_given_on_explore_is_gathered_for_the_study_and_taken_up_from_its_file(data, monkeypatch):
    app = choose(in_app(data, monkeypatch), 1)
    app.session_state.explore_drawn = True
    control(app, "button", "Open in Explore").click().run()
    app.switch_page("pages/explore.py").run()
    first_cluster(app)
    judge(app, "accept", "near a *vessel*")
    volume = next(one.value for one in app.dataframe if "Verdict" in one.value).loc[0, "Volume, ml"]

    view(app.switch_page("pages/cohort.py").run(), "Verdicts")
    precision, clusters = (one.value for one in app.dataframe)
    found = precision.loc[0].to_dict()
    assert [found[name] for name in ("Scans judged", "Clusters judged", "Accepted", "Rejected", "Unsure")] == [1, 1, 1, 0, 0]
    assert (found["Precision"], found["Precision, 95 %"]) == (1, "too few")
    assert "fewer than 5 people" in app.warning[0].value
    cluster = clusters.loc[0].to_dict()
    assert (cluster["Scan"], cluster["Verdict"], cluster["Comment"]) == ("sub-01_ses-2", "accept", "near a *vessel*")
    assert cluster["Method"] == found["Method"]
    assert cluster["Volume, ml"] == pytest.approx(volume, abs=0.006)
    assert len(cluster["On the atlas, mm"].split()) == 3
    assert "Verdicts last no longer than this session" in app.caption[-1].value

    ((mine,),) = (one.values() for one in app.session_state.cohort_verdicts.values())
    saved = verdicts_tsv([mine, replace(mine, scan="sub-09"), replace(mine, scan="sub-01_ses-1", method="x")])
    app.session_state.cohort_verdicts = app.session_state.explore_verdicts = {}
    app.run()
    assert app.info[0].value.startswith("Nothing was judged yet.")
    continue_from(app, saved)
    assert app.success[0].value == "Verdicts that were taken up: 1."
    said = [one.value.replace("\\", "") for one in app.warning]
    assert "Left out of scans that are not here: 1 (sub-09)." in said
    assert "Left out of scans whose file is another now: 1 (sub-01_ses-1)." in said
    assert app.dataframe[1].value.loc[0].to_dict() == cluster
    continue_from(app, saved.replace("reject", "accept"))
    assert app.success[0].value == "Verdicts that were taken up: 0."
    assert "Judged in this session too, which stands: 1." in [one.value for one in app.warning]
    monkeypatch.setattr(judging, "MOST", 1)
    continue_from(app, verdicts_tsv([replace(mine, method="elbo")]))
    assert app.error[0].value == "A session holds at most 1 verdicts of a study; with this file there would be more."
    continue_from(app, saved[:-40])
    assert "Line 4 of these verdicts cannot be read" in app.error[0].value

    app.switch_page("pages/explore.py").run()
    table = next(one.value for one in app.dataframe if "Verdict" in one.value)
    assert table["Verdict"].tolist()[:2] == ["accept", ""], "it stands where it was given"
    first_cluster(app)
    judge(app, None, "")
    view(app.switch_page("pages/cohort.py").run(), "Verdicts")
    assert app.info[0].value.startswith("Nothing was judged yet."), "it was taken back"


def test_a_verdict_is_of_the_studys_scan_only_while_explore_shows_that(monkeypatch):
    state = SimpleNamespace(kept_upload=SimpleNamespace(key="a"), sample=YOURS)
    state.get = lambda name, default=None: getattr(state, name, default)
    monkeypatch.setattr(judging, "state", state)
    assert judging.shown() is None
    judging.opened("/out", "sub-01", "sha")
    assert judging.shown().scan == "sub-01"
    state.sample = "healthy brain A"
    assert judging.shown() is None
    state.sample, state.kept_upload = YOURS, SimpleNamespace(key="b")
    assert judging.shown() is None


def continue_from(app: AppTest, saved: str) -> None:
    app.file_uploader(key="cohort_verdicts_file").set_value(("verdicts.tsv", saved.encode(), "text/plain")).run()
    assert not app.exception


# One's own


def uploads(*contents: bytes) -> list[tuple[str, bytes, str]]:
    return [(f"DOE_{at}.nii.gz", content, "application/octet-stream") for at, content in enumerate(contents)]


def own_scans(*contents: bytes) -> AppTest:
    app = opened()
    app.segmented_control(key="cohort_source").set_value("Your own scans").run()
    app.multiselect(key="methods").set_value(["residual"]).run()
    return app.file_uploader(key="cohort_scans").set_value(uploads(*contents)).run()


def test_own_scans_are_scored_shown_by_their_names_and_go_with_the_session(checkpoints, monkeypatch):
    monkeypatch.delenv("VAEAD_DATA", raising=False)
    brain = gzip.compress(scan_file(synthetic_brain(7, 1, 60.0)), 1)
    app = own_scans(brain, brain[:20000])
    app.button(key="cohort_score").click().run()
    assert not app.error
    assert app.session_state.jobs[own.KEY].wait(PATIENCE_SECONDS) == jobs.FAILED, "as one scan has no maps"
    app.run()
    assert not app.exception
    assert not app.error
    assert "1 of 2 scans have maps, 0 were finished before; 1 have none. Their notes say why." in app.warning[-1].value
    assert seen(app, rows.FILE) == ["DOE_0.nii.gz", "DOE_1.nii.gz"]
    assert seen(app, "state") == ["scored", "failed"]
    assert seen(app, rows.PICTURE)[0].startswith("data:image/webp")
    folder = Path(app.session_state["own_study"].name)
    assert len([*folder.rglob("*_statmap.nii.gz")]) == 1
    assert not [path for path in folder.rglob("*") if "DOE" in path.name]
    app.session_state.cohort_verdicts = {str(folder / "out"): {"a key": "of a scan of before"}}
    with monkeypatch.context() as patch:
        patch.setattr(jobs, "start", lambda *_: None)
        app.button(key="cohort_score").click().run()
    assert app.session_state.cohort_verdicts == {str(folder / "out"): {}}, "other scans have these names now"
    monkeypatch.setattr(sessions, "_LOOK_SECONDS", 0.1)
    monkeypatch.setattr(sessions, "ABANDONED_SECONDS", 0.3)
    until(lambda: not folder.exists())


def test_too_many_scans_are_one_sentence(checkpoints, monkeypatch):
    monkeypatch.setattr(own, "MOST", 1)
    app = own_scans(b"one", b"other")
    app.button(key="cohort_score").click().run()
    assert not app.exception
    assert [one.value for one in app.error] == ["At most 1 scans are scored at once; 2 were given."]
