"""A session as a file: what is saved is opened again, and a bad file is one sentence."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.comparison import asking
from pages.shared.scan_input import YOURS, Upload
from pages.shared.session import file as session_file
from pages.shared.session import saving
from pages.shared.session.file import Compared, File, Lab, Named, Session, read
from tests.support.scans import scan_file
from vaead_core.errors import InputError

ROOT = Path(__file__).resolve().parents[1]
TINY = Named("tiny", "0" * 64)
WHOLE = Session(
    TINY, YOURS, ("residual", "voxel_atlas"), "scan", (3, 4, 5), {"Residual": 0.125}, Compared(asking.SCAN, TINY, "MS patient",
    ("residual", "residual"), (0.5, 0.25)), Lab("healthy brain A", "ball:1:2"), {"upload": File.of("Müller.nii", b"a scan")},
)  # fmt: skip


def changed(**entries) -> bytes:
    return json.dumps(json.loads(WHOLE.to_json()) | entries).encode()


def test_what_is_written_is_read_again_and_holds_no_content():
    assert read(WHOLE.to_json().encode(), "one.json") == WHOLE
    assert json.loads(WHOLE.to_json())["files"]["upload"] == {
        "name": "Müller.nii", "size": 6, "sha256": hashlib.sha256(b"a scan").hexdigest()
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"not json", "is no session of vaead"),
        (b"[1]", "is no session of vaead"),
        (b'{"vaead_session": true}', "is no session of vaead"),
        (b"[" * 50_000, "is no session of vaead"),
        (b'{"vaead_session": 1e999}', "is no session of vaead"),
        (b'{"vaead_session": 1, "x": "\\ud800"}', "is no session of vaead"),
        (b"\xff\xfe", "is no session of vaead"),
        (b" " * (session_file.MOST_BYTES + 1), "is larger than a session's file can be"),
        (changed(vaead_session=2), "is a session of version 2"),
        (changed(crosshair=[1, 2]), "crosshair must be three numbers"),
        (changed(crosshair=[1, 2, -3]), "crosshair must be 0 or more"),
        (changed(thresholds={"Residual": "high"}), "Residual must be a number"),
        (changed(thresholds={str(at): 1 for at in range(65)}), "too many thresholds"),
        (changed(methods="residual"), "methods must be a list"),
        (changed(scan="x" * 2001), "scan must be at most 2000 letters"),
        (changed(files={"weights": {}}), "an unknown kind, weights"),
        (changed(files={"upload": {"name": "a", "size": 1, "sha256": "../x"}}), "upload.sha256 must be 64 letters"),
        (changed(checkpoint={"name": "tiny"}), "it lacks checkpoint.digest"),
        (changed(compared={"kind": "", "scan": "", "maps": [], "thresholds": [1]}), "compared.thresholds must be two"),
    ],
    ids=str,
)
def test_what_is_no_session_is_one_sentence(content, said):
    with pytest.raises(InputError, match=said) as caught:
        read(content, "bad.json")
    assert str(caught.value).startswith("bad.json is ")


def test_titles_may_have_dots_and_many_toys_fit():
    whole = replace(WHOLE, thresholds={"x.y": 1.0}, lab=Lab("healthy brain A", "~".join(["ball:1:2"] * 3000)))
    assert read(whole.to_json().encode(), "one.json") == whole


def started(**state) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=240)
    app.session_state.explore_drawn = True  # no browser draws here
    for name, value in state.items():
        app.session_state[name] = value
    app.run()
    assert not app.exception
    return app


def uploader(app: AppTest, key: str):
    return next(one for one in app.file_uploader if one.key == key)


def opened(app: AppTest, content: bytes) -> AppTest:
    app.toggle(key="session_asked").set_value(True).run()
    uploader(app, "session_file").set_value(("old.json", content, "application/json")).run()
    assert not app.exception
    return app


@pytest.fixture
def saved(monkeypatch):
    """What the button would give, as the page drew it last."""
    held = {}
    monkeypatch.setattr(saving, "offer", lambda label, content, *_: held.update({label: content}))
    return lambda: held["Session, JSON"]().encode()


def shown(app: AppTest) -> dict:
    return json.loads(app.get("bidi_component")[-1].proto.json)


@pytest.mark.shows(44)
def test_a_session_of_a_sample_is_saved_and_opened_again_with_all_that_it_showed(checkpoints, saved):
    app = started(methods=["residual"], sample="healthy brain A", compare=asking.SCAN, pair_sample="MS patient")
    app.session_state.pair_start = (40, 50, 60)  # where a browser would put crosshair and thresholds
    app.session_state.pair_given = 0.375, 0.625
    app.run()
    content = saved()
    assert read(content, "x").compared.thresholds == (0.375, 0.625)
    other = started(methods=["voxel_atlas"])
    opened(other, content)
    assert other.selectbox(key="sample").value == "healthy brain A"
    assert other.multiselect(key="methods").value == ["residual"]
    assert [layer["name"] for layer in shown(other)["layers"]][:2] == ["First: Healthy brain A", "Second: MS patient"]
    assert list(shown(other)["thresholds"].values()) == pytest.approx([0.375, 0.625], rel=1e-6)
    assert read(saved(), "x").crosshair == pytest.approx(read(content, "x").crosshair, abs=1)
    assert not other.error
    assert not [one for one in other.warning if "session" in one.value]


@pytest.mark.shows(44)
def test_an_upload_of_a_session_is_asked_for_by_its_name_and_known_by_its_content(checkpoints, brain_volume, saved):
    right, wrong = scan_file(brain_volume, 1.15), scan_file(brain_volume, 1.25)
    name = "own_*scan*.nii"
    app = started(
        own_scans=set(), kept_upload=Upload(name, right, hashlib.blake2b(right).hexdigest()), sample=YOURS, methods=["residual"]
    )
    app.session_state.explore_thresholds = {"Residual": 0.25}
    app.session_state.explore_given = {"Residual": 0.25}
    app.session_state.explore_start = app.session_state.explore_cursor = (50, 60, 40)
    app.run()
    content = saved()
    other = opened(started(methods=["voxel_atlas"]), content)
    wanted = f"was your file own\\_\\*scan\\*.nii ({len(right):,} bytes); upload it again in the sidebar."
    assert [one for one in other.warning if wanted in one.value], "letter by letter"
    assert other.session_state.explore_cursor != (50, 60, 40)
    assert [one for one in other.button if one.label == "Go on without that file"]
    uploader(other, "upload").set_value(("other.nii", wrong, "application/octet-stream")).run()
    assert [one for one in other.warning if "other.nii is not the scan that this session was saved with" in one.value]
    uploader(other, "upload").set_value(("again.nii", right, "application/octet-stream")).run()
    assert not other.exception
    assert not [one for one in other.warning if "session" in one.value]
    assert shown(other)["cursor"] == [50, 60, 40]
    assert shown(other)["thresholds"]["Residual"] == pytest.approx(0.25)


def test_a_session_whose_checkpoint_sample_or_way_is_not_here_changes_nothing(checkpoints, saved):
    app = started(methods=["residual"])
    good = json.loads(saved())
    for entries, said in (
        ({"checkpoint": {"name": "gone", "digest": ""}}, "This session's checkpoint gone is not here"),
        ({"scan": "another brain"}, "the sample another brain, is not in this version"),
        ({"scan": YOURS}, "is of an upload and does not say of which"),
        ({"scan": ""}, "is not in this version"),
        ({"scan": "another file of yours"}, "is not in this version"),
        ({"lab": {"scan": YOURS, "toys": "x"}}, "is of an upload and does not say of which"),
        ({"methods": ["nonsense"]}, "has no method that this version of vaead knows"),
        ({"compared": {"kind": "x", "scan": "", "maps": [], "thresholds": []}}, "compares in a way that this version"),
    ):
        opened(app, json.dumps(good | entries).encode())
        assert any(said in one.value for one in app.error), said
        assert app.session_state.methods == ["residual"]


def test_another_content_of_the_checkpoint_and_methods_that_are_gone_are_said(checkpoints, saved):
    app = started(methods=["residual"])
    altered = json.loads(saved()) | {
        "checkpoint": {"name": "tiny", "digest": "other"},
        "methods": ["residual", "gone"],
        "scale": "site x",
    }
    opened(app, json.dumps(altered).encode())
    said = " ".join(one.value for one in app.warning)
    assert "The checkpoint tiny is another than when this session was saved" in said
    assert "these cannot be had here: gone" in said
    assert "thresholds were from site x, which is not here" in said


def test_who_goes_on_without_a_sessions_file_is_asked_no_more(checkpoints, saved):
    app = started(methods=["residual"])
    files = {"upload": {"name": "lost.nii", "size": 3, "sha256": "0" * 64}}
    opened(app, json.dumps(json.loads(saved()) | {"scan": YOURS, "files": files}).encode())
    assert any("lost.nii (3 bytes)" in one.value for one in app.warning)
    app.button(key="session_leave").click().run()
    assert not app.exception
    assert not [one for one in app.warning if "session" in one.value]


def test_toys_of_a_session_are_planted_again(checkpoints, saved):
    app = started(methods=["voxel_atlas"])
    app.switch_page("pages/toy_lab.py").run()
    next(one for one in app.button if one.label == "Random").click().run()
    assert not app.exception
    [toy] = app.session_state.lab_toys
    app.switch_page("pages/explore.py").run()
    content = saved()
    assert read(content, "x").lab.toys
    other = opened(started(methods=["voxel_atlas"]), content)
    other.switch_page("pages/toy_lab.py").run()
    assert not other.exception
    assert [(one.kind, one.centre) for one in other.session_state.lab_toys] == [(toy.kind, toy.centre)]


def test_toys_that_lie_in_another_scan_than_the_lab_shows_now_are_not_saved(checkpoints, brain_volume, saved):
    app = started(methods=["voxel_atlas"])
    app.switch_page("pages/toy_lab.py").run()
    next(one for one in app.button if one.label == "Random").click().run()
    app.switch_page("pages/explore.py").run()
    assert read(saved(), "x").lab
    uploader(app, "upload").set_value(("own.nii", scan_file(brain_volume), "application/octet-stream")).run()
    assert not app.exception
    assert read(saved(), "x").lab is None, "the toys lie in the sample"


def test_what_was_opened_and_not_looked_at_yet_is_saved_again(checkpoints, saved):
    app = started(methods=["residual"])
    given = json.loads(saved()) | {"lab": {"scan": "healthy brain A", "toys": "circle:10:-1:50:60.61.40:1"}}
    opened(app, json.dumps(given).encode())
    assert read(saved(), "x").lab == Lab(**given["lab"])


def test_the_labs_own_scan_is_asked_for_while_explore_shows_its_sample(checkpoints, brain_volume, saved):
    app = started(methods=["residual"])
    content = scan_file(brain_volume)
    files = {"upload": {"name": "own.nii", "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}}
    given = json.loads(saved()) | {"lab": {"scan": YOURS, "toys": "circle:10:-1:50:60.61.40:1"}, "files": files}
    opened(app, json.dumps(given).encode())
    [asked] = [one.value for one in app.warning if "own.nii" in one.value]
    assert "another scan is shown" not in asked
    sample = app.session_state.sample
    uploader(app, "upload").set_value(("own.nii", content, "application/octet-stream")).run()
    assert not app.exception
    assert app.session_state.sample == sample
    assert (app.session_state.lab_sample, app.session_state.lab_given) == (YOURS, given["lab"]["toys"])
    assert not [one for one in app.warning if "own.nii" in one.value]


def test_a_readers_own_changes_are_not_called_losses(checkpoints, saved):
    app = started(methods=["residual", "voxel_atlas"])
    opened(app, saved())
    app.session_state.methods = ["residual"]
    app.session_state.scale = "healthy"
    app.run()
    assert not app.exception
    assert not [one for one in app.warning if "session" in one.value]


def test_thresholds_of_one_way_to_compare_do_not_go_to_another(checkpoints, saved):
    app = started(methods=["residual"])
    compared = {"kind": asking.SCAN, "checkpoint": None, "scan": YOURS, "maps": ["residual"] * 2, "thresholds": [0.5, 7.0]}
    files = {"upload": {"name": "lost.nii", "size": 3, "sha256": "0" * 64}}
    opened(app, json.dumps(json.loads(saved()) | {"compared": compared, "files": files}).encode())
    app.button(key="session_leave").click().run()
    app.selectbox(key="compare").set_value(asking.THRESHOLD).run()
    assert not app.exception
    assert 7.0 not in app.session_state.pair_thresholds
