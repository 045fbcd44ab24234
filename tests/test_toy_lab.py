"""The toy lab: what a script run plants, scores and says, and what a reader sees who clicks in a browser."""

import json
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.support.contents import FIRST

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


def test_undo_restores_maps_exactly_and_clear_the_clean_scan(app):
    clean = shown(app)
    press(app, "Random")
    first = shown(app)
    press(app, "Random")
    press(app, "Undo")
    assert shown(app) == first
    press(app, "Random")
    press(app, "Clear")
    assert shown(app) == clean
    press(app, "Undo")
    assert shown(app) == clean


def test_controls_shape_the_last_toy_alone(app):
    press(app, "Random")
    press(app, "Random")
    first, last = app.session_state.lab_toys
    app.slider(key="circle_radius_mm").set_value(16.0).run()
    kept, shaped = app.session_state.lab_toys
    assert kept == first
    assert shaped == last.with_setting("radius_mm", 16.0)


def test_another_scan_begins_without_toys(app):
    press(app, "Random")
    app.selectbox(key="lab_sample").set_value("healthy brain B with a painted lesion").run()
    assert not app.exception
    assert app.session_state.lab_toys == ()
    press(app, "Random")
    assert "own lesion counts as normal" in app.caption[-1].value


@pytest.mark.shows(15)
@pytest.mark.parametrize(
    ("field", "text", "sentence"),
    [
        ("sizes_mm", "10; 12", "Sizes, mm takes numbers from 0 to 40"),
        ("sizes_mm", "10, 10, 10", "one intensity for each size; found 3 sizes and 2 intensities"),
    ],
)
def test_settings_that_cannot_be_are_one_sentence(app, field, text, sentence):
    app.selectbox(key="toy").set_value("multiple_shapes").run()
    app.text_input(key=f"multiple_shapes_{field}").set_value(text).run()
    if not app.error:
        press(app, "Random")
    assert not app.exception
    said = [one.value for one in [*app.error, *app.warning]]
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
