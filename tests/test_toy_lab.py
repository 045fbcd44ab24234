"""The toy lab: what a script run plants, scores and says, and what a reader sees who clicks in a browser."""

import json
import shutil
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from pages.shared.server import queue
from pages.shared.toy_lab import address
from pages.shared.toy_lab import state as lab_state
from tests.support.contents import FIRST
from vaead_core.errors import InputError
from vaead_core.pipeline.planting import Planting
from vaead_core.scans.preprocessing import Preprocessor

ROOT = Path(__file__).resolve().parents[1]
SQUARE = '''
    from dataclasses import dataclass
    from typing import ClassVar

    import numpy as np

    from vaead_core.anomalies.toys import Toy, register
    from vaead_core.anomalies.toys.placing import distance_mm, paint, random_place


    @register("square")
    @dataclass(frozen=True)
    class Square(Toy):
        """A square of one intensity: a toy made in a test, found by its file alone."""

        edge_mm: float = 12.0
        shade: float = 0.5
        length_mm: float = 20.0
        title: ClassVar[str] = "Square"

        def plant(self, slices, spacing_mm, rng, place=None):
            place = place or random_place(slices, self.edge_mm, self.length_mm, spacing_mm, rng)
            rows, columns = np.indices(slices.mask.shape[1:])
            reach = self.edge_mm / 2 / spacing_mm
            inside = (abs(rows - place.row) <= reach) & (abs(columns - place.column) <= reach)
            return paint(slices, place, inside, np.full(inside.shape, self.shade))
'''
VISIT = """
    import json
    from pathlib import Path
    from streamlit.testing.v1 import AppTest

    app = AppTest.from_file(str(Path("pages/toy_lab.py").resolve()), default_timeout=240).run()
    app.selectbox(key="toy").set_value("square").run()
    [button] = [button for button in app.button if button.label == "Random"]
    button.click().run()
    print(json.dumps({
        "exceptions": [exception.value for exception in app.exception],
        "labels": [slider.label for slider in app.slider],
        "planted": [toy.kind for toy in app.session_state.lab_toys],
        "captions": [caption.value for caption in app.caption],
    }))
"""


@pytest.fixture
def app(checkpoints):
    return AppTest.from_file(str(ROOT / "pages" / "toy_lab.py"), default_timeout=240).run()


@pytest.fixture
def quick(checkpoints) -> AppTest:
    """The same with two maps, for whom it does not matter which."""
    return two_maps(AppTest.from_file(str(ROOT / "pages" / "toy_lab.py"), default_timeout=240)).run()


def two_maps(app: AppTest) -> AppTest:
    """The page before its first run."""
    app.session_state.methods = ["residual", "voxel_atlas"]
    return app


def press(app: AppTest, label: str) -> None:
    [button] = [button for button in app.button if button.label == label]
    button.click().run()
    assert not app.exception


def shown(app: AppTest) -> dict:
    """Name → digest of all that the viewer was given; AP captions too."""
    data = json.loads(app.get("bidi_component")[0].proto.json)
    records = [data["scan"], *data["layers"], *([data["truth"]] if data["truth"] else [])]
    return {record["name"]: record["digest"] for record in records} | {
        "AP": [one.value for one in app.caption if " AP " in one.value]
    }


def test_it_begins_with_a_healthy_brain_and_says_what_to_do(app):
    assert not app.exception
    assert not app.error
    assert "Research use only" in app.caption[0].value
    assert list(shown(app)) == ["Scan", *FIRST, "AP"]
    assert "Click in a picture, or press Random" in app.info[0].value


@pytest.mark.shows(17)
def test_every_field_of_the_chosen_toy_has_a_control(app):
    assert [slider.label for slider in app.slider] == ["Radius, mm", "Intensity", "Length, mm"]
    app.selectbox(key="toy").set_value("tumour").run()
    assert [slider.label for slider in app.slider] == ["Radius, mm", "Ring, mm", "Core", "Rim", "Blur, mm", "Length, mm"]
    app.selectbox(key="toy").set_value("multiple_shapes").run()
    assert [text.label for text in app.text_input] == ["Sizes, mm", "Intensities"]


@pytest.mark.shows(11)
def test_random_plants_with_a_truth_and_an_ap_for_each_map(app):
    before = shown(app)
    press(app, "Random")
    after = shown(app)
    assert "Truth" in after
    assert all(after[name] != before[name] for name in before)
    assert len(after["AP"]) == len(FIRST)
    press(app, "Random")
    assert len(app.session_state.lab_toys) == 2
    assert shown(app)["Truth"] != after["Truth"]


def test_a_toy_waits_for_nobodys_scan(quick, monkeypatch):
    monkeypatch.setattr(queue, "MOST", 1)
    with queue.turn():  # as of somebody whose scan is being scored
        press(quick, "Random")
        assert not quick.info
    assert len(quick.session_state.lab_toys) == 1
    assert "Truth" in shown(quick)


def test_undo_restores_maps_exactly_and_clear_the_clean_scan(quick):
    clean = shown(quick)
    press(quick, "Random")
    first = shown(quick)
    press(quick, "Random")
    press(quick, "Undo")
    assert shown(quick) == first
    press(quick, "Random")
    press(quick, "Clear")
    assert shown(quick) == clean
    press(quick, "Undo")
    assert len(quick.session_state.lab_toys) == 2, "what Clear took comes back"
    press(quick, "Undo")
    assert shown(quick) == first
    press(quick, "Undo")
    assert shown(quick) == clean
    press(quick, "Undo")
    assert shown(quick) == clean, "before the first there is nothing"
    press(quick, "Redo")
    assert shown(quick) == first


def test_undo_goes_back_over_a_hundred_changes_and_no_more(quick, monkeypatch):
    monkeypatch.setattr(lab_state, "MOST_UNDONE", 2)
    for _ in range(3):
        press(quick, "Random")
    for _ in range(4):
        press(quick, "Undo")
    assert len(quick.session_state.lab_toys) == 1


def test_undo_brings_back_a_setting_and_its_control(quick):
    press(quick, "Random")
    quick.slider(key="circle_radius_mm").set_value(16.0).run()
    press(quick, "Undo")
    [toy] = quick.session_state.lab_toys
    assert toy.size_mm == quick.slider(key="circle_radius_mm").value == 10
    press(quick, "Redo")
    [toy] = quick.session_state.lab_toys
    assert toy.size_mm == quick.slider(key="circle_radius_mm").value == 16


def test_no_toy_is_offered_smaller_than_a_voxel(app):
    assert {slider.label: slider.min for slider in app.slider} == {"Radius, mm": 2, "Intensity": -1, "Length, mm": 2}


# The address


@dataclass(frozen=True)
class Grid:
    """As much of a scan as the address asks for."""

    preprocessor: Preprocessor = field(default_factory=Preprocessor)


TOYS = (
    Planting("circle", (("radius_mm", 10.0), ("intensity", -0.35), ("length_mm", 50.0)), (60, 61, 40), 3),
    Planting(
        "multiple_shapes",
        (("sizes_mm", (5.0, 12.5)), ("intensities", (-1.0, 0.5)), ("irregularity", 0.3), ("length_mm", 20.0)), (50, 70, 30), 7,
    ),
    Planting("white_matter", (("radius_mm", 4.0), ("change_percent", -20.0)), (44, 66, 41), 8),
    Planting(
        "drawn", (("radius_mm", 3.0), ("change_percent", -35.0)), (70, 60, 40), 9,
        ((0, 0, 0), (1, 0, 0), (1, -2, 0), (-3, -2, 0)),
    ),
)  # fmt: skip


def test_toys_are_the_same_in_the_address_and_back():
    assert address.decoded(address.encoded(TOYS), Grid()) == TOYS


@settings(max_examples=300, deadline=None)
@given(text=st.text("circlemutp_shas:~.*-+0123456789 einfé", max_size=60), at=st.integers(0, 100), whole=st.booleans())
def test_any_other_text_in_the_address_is_refused_in_a_sentence_or_is_toys(text, at, whole):
    known = address.encoded(TOYS)
    try:
        toys = address.decoded(text if whole else known[:at] + text + known[at + 1 :], Grid())
    except InputError:
        return
    assert address.decoded(address.encoded(toys), Grid()) == toys


def test_more_toys_than_an_address_holds_are_counted(quick):
    quick.session_state.lab_toys = tuple(replace(TOYS[0], seed=seed) for seed in range(60))
    quick.run()
    assert quick.query_params["toys"] in ("60", ["60"])
    again = two_maps(AppTest.from_file(str(ROOT / "pages" / "toy_lab.py"), default_timeout=240))
    again.query_params["toys"] = "60"
    again.run()
    assert "no longer here" in again.warning[0].value


@pytest.mark.shows(15, 31)
@pytest.mark.parametrize("text", ["circle", "circle:10:-1:50:1.1.1:1", "sphere:1:2:3.4.5:6", "~:~"])
def test_an_address_whose_toys_cannot_be_is_one_sentence(checkpoints, text):
    app = two_maps(AppTest.from_file(str(ROOT / "pages" / "toy_lab.py"), default_timeout=240))
    app.query_params["toys"] = text
    app.run()
    assert not app.exception
    assert [one.value for one in app.warning] == [address.UNREADABLE]
    press(app, "Random")
    assert not app.warning


def test_controls_shape_the_last_toy_alone(quick):
    press(quick, "Random")
    press(quick, "Random")
    first, last = quick.session_state.lab_toys
    quick.slider(key="circle_radius_mm").set_value(16.0).run()
    kept, shaped = quick.session_state.lab_toys
    assert kept == first
    assert shaped == last.with_setting("radius_mm", 16.0)


def test_another_scan_begins_without_toys(quick):
    press(quick, "Random")
    quick.selectbox(key="lab_sample").set_value("healthy brain B with a painted lesion").run()
    assert not quick.exception
    assert quick.session_state.lab_toys == ()
    press(quick, "Random")
    assert "own lesion counts as normal" in quick.caption[-1].value


@pytest.mark.shows(15)
@pytest.mark.parametrize(
    ("field", "text", "sentence"),
    [
        ("sizes_mm", "10; 12", "Sizes, mm takes numbers from 2 to 40"),
        ("sizes_mm", "10, 10, 10", "one intensity for each size; found 3 sizes and 2 intensities"),
    ],
)
def test_settings_that_cannot_be_are_one_sentence(quick, field, text, sentence):
    quick.selectbox(key="toy").set_value("multiple_shapes").run()
    quick.text_input(key=f"multiple_shapes_{field}").set_value(text).run()
    if not quick.error:
        press(quick, "Random")
    assert not quick.exception
    said = [one.value for one in [*quick.error, *quick.warning]]
    assert len(said) == 1
    assert sentence in said[0]


def test_a_toy_that_comes_as_one_file_has_its_controls_and_is_planted(checkpoints, tmp_path):
    for folder in ("vaead_core", "pages"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "vaead_core" / "anomalies" / "toys" / "square.py").write_text(textwrap.dedent(SQUARE))
    command = [sys.executable, "-c", textwrap.dedent(VISIT)]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    seen = json.loads(ran.stdout.splitlines()[-1])
    assert seen["exceptions"] == []
    assert seen["labels"] == ["Edge, mm", "Shade", "Length, mm"]
    assert seen["planted"] == ["square"]
    assert len([caption for caption in seen["captions"] if " AP " in caption]) == len(FIRST)


# In a browser
