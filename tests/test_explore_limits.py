"""Detection limits on the Explore page, a script run after the other: begun, followed, ended, kept, and handed on."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.explore import limits as explore_limits
from pages.shared.scan_input import YOURS, Upload
from pages.shared.server import jobs, stepwise
from tests.support.scans import scan_file
from tests.support.waiting import until
from vaead_core.pipeline.limits import measuring

ROOT = Path(__file__).resolve().parents[1]
MAP = "voxel_atlas"


@pytest.fixture
def undrawn(checkpoints, monkeypatch) -> AppTest:
    """The page with one map; 25 lesions are quickly painted."""
    monkeypatch.setattr(stepwise, "AWAY_SECONDS", 600)  # between two runs of a script no reader is there
    monkeypatch.setattr(measuring.steps, "__defaults__", (0, 1))
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=240)
    app.session_state.explore_drawn = True
    app.session_state.methods = [MAP]
    return app


@pytest.fixture
def app(undrawn) -> AppTest:
    """The page with the sample, drawn."""
    return undrawn.run()


@pytest.fixture
def endless(monkeypatch) -> Iterator[list[tuple]]:
    """Steps that give the first figures again and again, so that pages come in between; what they were begun with."""
    steps, begun, over = measuring.steps, [], threading.Event()

    def again(*arguments):
        begun.append(arguments)
        first = next(steps(*arguments))
        while not over.is_set():
            yield first
            time.sleep(0.05)

    monkeypatch.setattr(measuring, "steps", again)
    yield begun
    over.set()


def button(app: AppTest):
    return app.button(key="explore_measure_limits")


def measured(app: AppTest) -> explore_limits.Measured:
    """What was begun last."""
    return app.session_state.explore_limits.all()[-1]


def whole(app: AppTest) -> AppTest:
    """The page once all lesions are painted."""
    button(app).click().run()
    assert not app.exception
    until(lambda: measured(app).work.state != jobs.RUNNING)
    return app.run()


def files(app: AppTest) -> list[str]:
    return [one.proto.label for one in app.get("download_button")]


def said(app: AppTest) -> str:
    return " ".join(one.value for one in (*app.caption, *app.markdown, *app.warning, *app.info))


@pytest.mark.shows(26)
def test_a_button_brings_the_sentence_the_figures_and_the_record(app):
    assert "Detection limits, JSON" not in files(app)
    whole(app)
    assert not app.exception
    limits = measured(app).limits
    assert limits.sentence() in said(app).replace("\\", "")
    figures = [json.loads(one.proto.spec)["data"] for one in app.get("plotly_chart")]
    [heat] = [data[0] for data in figures if data and data[0]["type"] == "heatmap"]
    numbers = [text for row in heat["text"] for text in row]
    assert len(numbers) == len(limits.cells)
    assert sum(int(text.split("/")[0]) for text in numbers if text != "none") == sum(one.found for one in limits.outcomes)
    assert "Where it is blind." in said(app)
    assert "Detection limits, JSON" in files(app)


def test_it_can_be_cancelled_and_what_was_known_stays(app, endless):
    button(app).click().run()
    until(lambda: measured(app).work.latest is not None)
    app.run()
    assert button(app).disabled
    [cancel] = [one for one in app.button if one.label == "Cancel"]
    cancel.click().run()
    until(lambda: measured(app).work.state != jobs.RUNNING)
    app.run()
    assert not app.exception
    assert measured(app).work.state == jobs.CANCELLED
    assert "was cancelled after" in said(app)
    assert f"By {len(measured(app).work.latest.limits.outcomes)} of 25 lesions" in said(app)
    assert "Detection limits, JSON" not in files(app)
    assert not button(app).disabled


def test_figures_of_another_threshold_are_said_to_be(app):
    whole(app)
    before = measured(app).threshold
    app.session_state.explore_thresholds = {"Voxel atlas (baseline)": before + 1}
    app.run()
    assert f"These figures are of the threshold {before:.3g}" in said(app)
    assert f"it is at {before + 1:.3g} now" in said(app)
    whole(app)
    assert measured(app).threshold == before + 1
    assert "These figures are of the threshold" not in said(app)


def test_another_scan_begins_without_them(app):
    whole(app)
    one = measured(app)
    app.selectbox(key="sample").set_value("healthy brain A").run()
    assert not app.exception
    assert not app.session_state.explore_limits.all()
    assert one.limits.sentence() not in said(app).replace("\\", "")


def test_another_scale_of_thresholds_and_back_keeps_them(app):
    whole(app)
    one = measured(app)
    app.session_state.scale = "healthy"
    app.run()
    assert not app.exception
    assert one.limits.sentence() not in said(app).replace("\\", ""), "these thresholds are others"
    app.session_state.scale = "scan"
    app.run()
    assert measured(app) is one
    assert one.limits.sentence() in said(app).replace("\\", "")


def test_what_is_being_measured_of_a_scan_ends_with_it(app, endless):
    button(app).click().run()
    one = measured(app)
    until(lambda: one.work.latest is not None)
    app.selectbox(key="sample").set_value("healthy brain A").run()
    until(lambda: one.work.state != jobs.RUNNING)
    assert one.work.state == jobs.CANCELLED


def test_what_is_being_measured_of_an_upload_ends_when_that_is_closed_on_another_page(undrawn, brain_volume, endless):
    app, content = undrawn, scan_file(brain_volume)
    key = hashlib.blake2b(content).hexdigest()
    app.session_state.own_scans = {key}
    app.session_state.kept_upload = Upload("own.nii", content, key)
    app.session_state.sample = app.session_state.lab_sample = YOURS
    app.run()
    button(app).click().run()
    one = measured(app)
    until(lambda: one.work.latest is not None)
    app.switch_page("pages/toy_lab.py").run()
    assert one.work.state == jobs.RUNNING
    [close] = [button for button in app.button if button.label.startswith("Close own")]
    close.click().run()
    assert not app.exception
    until(lambda: one.work.state != jobs.RUNNING)
    assert one.work.state == jobs.CANCELLED
    assert not app.session_state.explore_limits.all()


@pytest.mark.shows(36)
def test_what_is_being_measured_is_told_beside_every_page_and_a_second_click_begins_no_other(app, endless, monkeypatch):
    begin, begun = explore_limits._begin, []
    monkeypatch.setattr(explore_limits, "_begin", lambda kept, *given: (begun.append(given), begin(kept, *given)))
    button(app).click().run()
    one = measured(app)
    until(lambda: one.work.share)
    begin(app.session_state.explore_limits, *begun[-1])  # a click before the button was drawn disabled
    assert measured(app) is one
    assert len(endless) == 1
    for page in ("pages/latent_space.py", "pages/explore.py"):
        app.switch_page(page).run()
        assert not app.exception
        assert [bar.proto.text for bar in app.sidebar.get("progress")] == [f"{one.work.title}, {one.work.share:.0%}"]
        assert one.work.state == jobs.RUNNING
    one.work.cancel()
    until(lambda: one.work.state == jobs.CANCELLED)
    app.run()
    assert not app.sidebar.get("progress")
    assert not app.session_state.followed, "what has ended is let go"


def test_the_record_is_what_the_command_writes(app, monkeypatch):
    offered = {}
    monkeypatch.setattr(explore_limits, "offer", lambda label, content, key, name: offered.update({name: content}))
    whole(app)
    [(name, content)] = offered.items()
    record = json.loads(content())
    assert name.endswith("_limits.json")
    assert {"checkpoint", "versions", "seed", "rules", "scorers", "lesions", "warnings"} <= record.keys()
    assert (record["seed"], record["scorers"][MAP]["rate"]) == (0, 0.05)
    assert record["scorers"][MAP]["sentence"] == measured(app).limits.sentence()
    assert len(record["lesions"]) == len(measured(app).limits.outcomes)
