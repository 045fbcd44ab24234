"""What an operator can have written down of sessions: what was done, and no name."""

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.server import jobs
from tests.support.contents import archive
from tests.support.scans import scan_file
from tests.support.waiting import PATIENCE_SECONDS, until

ROOT = Path(__file__).resolve().parents[1]
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ audit session=[0-9a-f]{8} (.*)")


def visited(checkpoints, brain_volume) -> None:
    """A session that uploads a scan and two checkpoints, of which one is none, removes one, and runs a job."""
    app = AppTest.from_file(str(ROOT / "pages" / "explore.py"), default_timeout=240).run()
    app.file_uploader[0].set_value(("DOE_JANE.nii", scan_file(brain_volume), "application/octet-stream")).run()
    app = AppTest.from_file(str(ROOT / "pages" / "checkpoints.py"), default_timeout=240).run()
    app.segmented_control[0].set_value("Upload").run()
    for content in (archive(checkpoints / "tiny", "DOES_MODEL"), b"no archive"):
        app.file_uploader(key="archive").set_value(("DOES_MODEL.zip", content, "application/zip")).run()
    app.segmented_control[0].set_value("Inspect").run()
    app.selectbox(key="inspected").set_value("DOES_MODEL (yours)").run()
    [remove] = [button for button in app.button if button.label == "Remove"]
    remove.click().run()
    app.segmented_control[0].set_value("Train").run()
    app.text_input(key="train_name").set_value("DOES_TRAINING").run()
    [start] = [button for button in app.button if button.label == "Start training"]
    start.click().run()
    app.session_state["jobs"]["training"].cancel()
    assert app.session_state["jobs"]["training"].wait(PATIENCE_SECONDS) == jobs.CANCELLED
    until(lambda: not jobs._running)
    assert not app.exception


def test_each_thing_that_a_session_does_is_one_line_without_a_name(checkpoints, brain_volume, monkeypatch, capfd):
    monkeypatch.setenv("VAEAD_AUDIT", "on")
    visited(checkpoints, brain_volume)
    said = capfd.readouterr().err
    events = [found[1] for line in said.splitlines() if (found := LINE.fullmatch(line))]
    assert [re.sub(r"=\d+", "", event) for event in events] == [
        "upload scan bytes", "checkpoint taken bytes", "checkpoint refused bytes", "checkpoint removed",
        "job training started", "job training cancelled",
    ]  # fmt: skip
    assert "DOE" not in said


@pytest.mark.parametrize("value", ["", "off"])
def test_nothing_is_written_unless_it_is_asked_for(checkpoints, brain_volume, monkeypatch, capfd, value):
    monkeypatch.setenv("VAEAD_AUDIT", value)
    visited(checkpoints, brain_volume)
    assert "audit session" not in capfd.readouterr().err
