"""The checkpoints page: what is listed, compared, uploaded and trained, and what a hostile upload can do to a reader."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.checkpoints import training_job
from pages.shared.server import data_folder, jobs, sessions
from tests.support.contents import archive
from tests.support.scans import scan_file
from tests.support.sites import healthy_scans
from tests.support.waiting import PATIENCE_SECONDS, until
from training.presets import PRESETS
from vaead_core.checkpoints.archive import packed
from vaead_core.errors import InputError

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def app(checkpoints):
    return AppTest.from_file(str(ROOT / "pages" / "checkpoints.py"), default_timeout=240).run()


def view(app: AppTest, name: str) -> AppTest:
    app.segmented_control[0].set_value(name).run()
    assert not app.exception
    return app


def upload(app: AppTest, content: bytes, name: str = "mine.zip") -> AppTest:
    view(app, "Upload").file_uploader(key="archive").set_value((name, content, "application/zip")).run()
    assert not app.exception
    return app


def test_a_checkpoint_is_listed_with_its_facts_curves_thresholds_and_card(app):
    assert not app.exception
    assert "Research use only, not for diagnosis." in app.caption[0].value
    row = app.dataframe[0].value.iloc[0]
    assert (row["Name"], row["Images"], row["Latents"], row["Epochs"]) == ("tiny", "slices", 16, 2)
    assert len(app.get("plotly_chart")) == 1
    assert {"1 %", "5 %", "10 %"} == set(app.dataframe[1].value["Above"])
    assert any("<h4>Reconstruction" in html.proto.body for html in app.get("html"))


def test_one_checkpoint_alone_says_how_to_get_another(app):
    assert "upload or train another" in view(app, "Compare").info[0].value


def test_no_checkpoint_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("VAEAD_CHECKPOINTS", str(tmp_path))
    monkeypatch.setenv("VAEAD_SHIPPED", "off")
    app = AppTest.from_file(str(ROOT / "pages" / "checkpoints.py"), default_timeout=240).run()
    assert not app.exception
    assert app.info[0].value == "There is no checkpoint yet; upload one, or train one."


def test_one_that_cannot_be_read_is_a_sentence_beside_the_others(tiny_checkpoint_folder, tmp_path, monkeypatch):
    (tmp_path / "tiny").symlink_to(tiny_checkpoint_folder)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "checkpoint.json").write_text("{")
    monkeypatch.setenv("VAEAD_CHECKPOINTS", str(tmp_path))
    monkeypatch.setenv("VAEAD_SHIPPED", "off")
    app = AppTest.from_file(str(ROOT / "pages" / "checkpoints.py"), default_timeout=240).run()
    assert not app.exception
    assert [error.value for error in app.error] == ["checkpoint.json of broken cannot be read; copy the checkpoint again."]
    assert list(app.dataframe[0].value["Name"]) == ["tiny"]


def test_an_upload_is_this_sessions_own_and_is_compared_with_its_differences_marked(app, checkpoints):
    upload(app, archive(checkpoints / "tiny", "mine", history_csv="epoch,loss\n1,2\n"))
    assert app.success[0].value == "mine was checked and can be chosen on every page as mine (yours)."
    assert list(app.dataframe[0].value["Name"]) == ["tiny", "mine (yours)"]
    assert [path.name for path in checkpoints.iterdir()] == ["tiny"]
    other = AppTest.from_file(str(ROOT / "pages" / "checkpoints.py"), default_timeout=240).run()
    assert list(other.dataframe[0].value["Name"]) == ["tiny"]
    view(app, "Compare")
    marked = app.dataframe[1].value
    assert set(marked["≠"]) == {""}, "the same settings"
    assert [column.strip() for column in marked.columns] == ["≠", "Setting", "tiny", "mine (yours)"]
    assert {"tiny", "mine (yours)"} <= set(app.dataframe[2].value.columns)
    app.selectbox(key="inspected").set_value("mine (yours)").run()
    assert not app.exception
    assert app.selectbox(key="compared").value == "tiny"


def test_what_is_removed_leaves_every_choice(app, checkpoints):
    upload(app, archive(checkpoints / "tiny", "mine"))
    view(app, "Inspect").selectbox(key="inspected").set_value("mine (yours)").run()
    [remove] = [button for button in app.button if button.label == "Remove"]
    remove.click().run()
    assert not app.exception
    assert not app.error
    assert list(app.dataframe[0].value["Name"]) == ["tiny"]
    assert app.selectbox(key="inspected").value == "tiny"


@pytest.mark.shows(15)
def test_a_bad_upload_is_one_sentence_and_nothing_is_lost(app, checkpoints):
    upload(app, packed(checkpoints / "tiny"))
    upload(app, b"this is no archive", "notes.zip")
    assert [error.value for error in app.error] == [
        "The upload is not a zip archive that vaead reads; pack the checkpoint's folder as a plain .zip."
    ]
    assert list(app.dataframe[0].value["Name"]) == ["tiny", "tiny (yours)"]


def test_a_history_without_numbers_is_one_sentence(app, checkpoints):
    upload(app, archive(checkpoints / "tiny", "mine", history_csv="epoch,loss\n1,<b>\n"))
    assert not app.exception
    assert "does not hold a number" in app.error[0].value
    assert list(app.dataframe[0].value["Name"]) == ["tiny"]


def test_a_session_has_a_bounded_number_of_its_own(app, checkpoints, monkeypatch):
    monkeypatch.setattr(training_job, "MOST_OWN", 1)
    upload(app, packed(checkpoints / "tiny"))
    upload(app, packed(checkpoints / "tiny"), "again.zip")
    assert app.error[0].value == "This session has 1 checkpoints of its own, which is the most; remove one first."


def test_what_is_uploaded_goes_with_the_session(app, checkpoints, monkeypatch):
    monkeypatch.setattr(sessions, "_LOOK_SECONDS", 0.1)
    monkeypatch.setattr(sessions, "ABANDONED_SECONDS", 0.3)
    upload(app, packed(checkpoints / "tiny"))
    folder = Path(app.session_state["own_checkpoints"].name)
    assert (folder / "tiny" / "checkpoint.json").is_file()
    monkeypatch.setattr(sessions, "_is_open", lambda session: False)
    until(lambda: not folder.exists())


# Training


def test_the_networks_offered_are_presets_of_training():
    assert training_job.PRESETS.keys() <= PRESETS.keys()


def test_without_torch_the_page_says_what_to_install(app, monkeypatch):
    monkeypatch.setattr(training_job, "NEEDS", ("a_package_that_is_not_installed",))
    view(app, "Train")
    said = (
        "Training needs a_package_that_is_not_installed, not installed on this server; train elsewhere, and upload the checkpoint"
    )
    assert [info.value.replace("\\", "") for info in app.info] == [said]
    assert not app.button


def test_a_folder_of_the_server_is_read_only_where_its_operator_allows_it(app, tmp_path, monkeypatch):
    monkeypatch.delenv("VAEAD_DATA", raising=False)
    assert not data_folder.allowed()
    assert view(app, "Train").segmented_control[1].options == ["Synthetic brains"]
    (tmp_path / "data" / "healthy").mkdir(parents=True)
    (tmp_path / "secret").mkdir()
    monkeypatch.setenv("VAEAD_DATA", str(tmp_path / "data"))
    assert data_folder.allowed()
    assert data_folder.folder_of("healthy") == tmp_path / "data" / "healthy"
    (tmp_path / "data" / "link").symlink_to(tmp_path / "secret")
    for outside in ("../secret", str(tmp_path / "secret"), "link", "missing", "/"):
        with pytest.raises(InputError, match="There is no folder"):
            data_folder.folder_of(outside)


@pytest.mark.parametrize("name", ["", "../up", "a b", "-x", "a/b"])
def test_a_name_that_is_none_is_one_sentence(app, name):
    view(app, "Train").text_input(key="train_name").set_value(name).run()
    [start] = [button for button in app.button if button.label == "Start training"]
    start.click().run()
    assert not app.exception
    assert [error.value for error in app.error] == ["A name takes letters, digits, - and \\_, and begins with a letter or digit."]


def test_a_training_that_fails_says_its_last_sentence(app, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("VAEAD_DATA", str(tmp_path))
    view(app, "Train").segmented_control[1].set_value("A folder on the server").run()
    app.text_input(key="train_folder").set_value("empty").run()
    [start] = [button for button in app.button if button.label == "Start training"]
    start.click().run()
    assert app.session_state["jobs"]["training"].wait(PATIENCE_SECONDS) == jobs.FAILED
    app.run()
    assert not app.exception
    assert re.search(r"Training of my-model failed after .*empty", app.error[0].value)


# A site


def calibrate(app: AppTest, source: str) -> AppTest:
    view(app, "Calibrate")
    [chosen] = [one for one in app.segmented_control if one.label == "Healthy scans"]
    chosen.set_value(source).run()
    assert not app.exception
    return app


def start(app: AppTest) -> AppTest:
    [button] = [button for button in app.button if button.label == "Calibrate"]
    button.click().run()
    assert not app.exception
    return app


def test_healthy_scans_that_are_uploaded_calibrate_a_site_and_leave_no_trace(app, few_checkpoint_folder, monkeypatch):
    checkpoints = few_checkpoint_folder.parent
    monkeypatch.setenv("VAEAD_CHECKPOINTS", str(checkpoints))
    assert "calibrated for no site yet" in calibrate(app, "Upload scans").info[0].value
    files = [(f"anna {at}.nii", scan_file(one), "application/octet-stream") for at, one in enumerate(healthy_scans())]
    app.file_uploader(key="site_scans").set_value(files[:2]).run()
    assert start(app).error[0].value == "A site is calibrated on 3 to 20 healthy scans; 2 were given."
    app.text_input(key="site_name").set_value("../ward").run()
    app.file_uploader(key="site_scans").set_value(files).run()
    assert "A site's name takes letters" in start(app).error[0].value
    app.text_input(key="site_name").set_value("ward-3").run()
    app.file_uploader(key="site_scans").set_value(files).run()
    start(app)
    held = Path(app.session_state["own_healthy"].name)
    job = app.session_state["jobs"]["site"]
    assert job.wait(PATIENCE_SECONDS) == jobs.FINISHED, job.lines
    assert job.share == 1
    assert not list(held.iterdir()), "no scan is left"
    assert "anna" not in " ".join(job.lines)
    app.run()
    assert not app.exception
    assert app.selectbox(key="site_shown").value == "ward-3 (yours)"
    [table] = [one.value for one in app.dataframe if "At 5 %" in one.value]
    assert {"Residual", "Voxel atlas (baseline)"} <= set(table["Method"])
    assert [path.name for path in checkpoints.iterdir()] == ["tiny"]
    [remove] = [button for button in app.button if button.label == "Remove"]
    remove.click().run()
    assert "calibrated for no site yet" in app.info[-1].value


def test_a_calibration_of_another_checkpoint_is_one_sentence(app, tiny_site):
    site = tiny_site
    calibrate(app, "Upload a calibration")
    for content, said in (
        (replace(site, checkpoint="0" * 64).packed(), "a.npz was made with another checkpoint than tiny"),
        (b"nothing", "a.npz is no site calibration that vaead reads, or is damaged"),
    ):
        app.file_uploader(key="site_archive").set_value(("a.npz", content, "application/zip")).run()
        assert app.error[0].value.startswith(said)
    app.file_uploader(key="site_archive").set_value(("a.npz", site.packed(), "application/zip")).run()
    assert app.success[0].value.startswith("ours was checked")
    assert app.selectbox(key="site_shown").value == "ours (yours)"
    app.session_state["site_said"] = True, "ward-3 was checked", "0" * 64
    app.run()
    assert not app.success, "that was said of another checkpoint"


def test_a_folder_of_the_server_calibrates_only_where_its_operator_allows_it(app, tmp_path, monkeypatch):
    monkeypatch.delenv("VAEAD_DATA", raising=False)
    view(app, "Calibrate")
    assert app.segmented_control[1].options == ["Upload scans", "Upload a calibration"]
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("VAEAD_DATA", str(tmp_path))
    calibrate(app, "A folder on the server").text_input(key="site_folder").set_value("../secret").run()
    assert "There is no folder" in start(app).error[0].value
    app.text_input(key="site_folder").set_value("empty").run()
    start(app)
    assert app.session_state["jobs"]["site"].wait(PATIENCE_SECONDS) == jobs.FAILED
    assert "No .nii or .nii.gz file lies below empty" in app.session_state["jobs"]["site"].last_sentence


# In a browser
