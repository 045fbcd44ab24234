"""The toy lab: what a script run plants, scores and says, and what a reader sees who clicks in a browser."""

import json
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from streamlit.testing.v1 import AppTest

from tests.test_app import FIRST

ROOT = Path(__file__).resolve().parents[1]
SQUARE = '''
    from dataclasses import dataclass
    from typing import ClassVar

    import numpy as np

    from vaead_core.anomalies.toys import register
    from vaead_core.anomalies.toys.placing import distance_mm, paint, random_place


    @register("square")
    @dataclass(frozen=True)
    class Square:
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

    app = AppTest.from_file(str(Path("pages/toy_lab.py").resolve()), default_timeout=120).run()
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
    return AppTest.from_file(str(ROOT / "pages" / "toy_lab.py"), default_timeout=120).run()


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
    app.selectbox(key="lab_sample").set_value("brain with a dark lesion").run()
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


@pytest.fixture
def tab(address, browser):
    """The toy lab; an error in a script fails the test."""
    tab = browser.new_page(viewport={"width": 1440, "height": 900})
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.goto(f"{address}/toy_lab")
    expect(tab.get_by_text("Click in a picture, or press Random")).to_be_visible(timeout=60_000)
    drawn(tab)
    yield tab
    assert errors == []
    tab.close()


def drawn(tab: Page) -> None:
    """The script has run and the viewer shows what it sent."""
    tab.locator("[data-test-script-state=notRunning]").wait_for(timeout=30_000)
    tab.locator(".viewer[data-state=drawn]").wait_for(timeout=30_000)
    tab.wait_for_timeout(200)


def click(tab: Page, across: float, down: float) -> None:
    box = tab.locator(".panel .view canvas").first.bounding_box()
    tab.mouse.click(box["x"] + box["width"] * across, box["y"] + box["height"] * down)


def plant(tab: Page, across: float = 0.36, down: float = 0.45, count: int = 1) -> None:
    """Clicks in the scan and waits for the toy."""
    click(tab, across, down)
    expect(tab.get_by_text(f"Toys: {count}.")).to_be_visible(timeout=30_000)
    drawn(tab)


def press_button(tab: Page, name: str, count: int) -> None:
    """Presses a button and waits for so many toys."""
    tab.get_by_role("button", name=name).click()
    expect(tab.get_by_text(f"Toys: {count}.")).to_be_visible(timeout=30_000)
    drawn(tab)


def readout(tab: Page) -> str:
    return tab.locator(".readout").inner_text()


def pictures(tab: Page) -> list[str]:
    return tab.locator(".panel .view canvas").evaluate_all("(all) => all.map((one) => one.toDataURL())")


def note(tab: Page, panel: str) -> float:
    """The threshold that a panel of the viewer names."""
    text = tab.locator(f'section[aria-label="{panel}"] .note').inner_text()
    return float(re.search(r"Above ([\d.]+)", text)[1])


def scores(tab: Page) -> list[str]:
    """What is said above each curve."""
    return tab.get_by_text(re.compile(r"AP \d")).all_inner_texts()


def points(tab: Page) -> list[list[float]]:
    """Recall and precision of the threshold's point on each curve."""
    find = "(plot) => plot.data.filter((one) => one.mode === 'markers').map((one) => [one.x[0], one.y[0]])"
    return tab.locator(".js-plotly-plot").first.evaluate(find)


@pytest.mark.shows(17)
def test_a_click_plants_a_toy_about_the_clicked_voxel(tab):
    plant(tab)
    centre = readout(tab)
    assert "in the truth" in centre
    assert "not in" not in centre
    for key in ("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"):
        inside = 0
        while "not in the truth" not in readout(tab):
            tab.keyboard.press(key)
            tab.wait_for_timeout(60)
            inside += 1
        assert inside == 6, "10 mm are five voxels of 2 mm"
        back = {"Left": "Right", "Right": "Left", "Up": "Down", "Down": "Up"}[key.removeprefix("Arrow")]
        for _ in range(inside):
            tab.keyboard.press(f"Arrow{back}")
        tab.wait_for_timeout(100)
        assert readout(tab) == centre


def test_a_click_beside_the_brain_is_one_sentence(tab):
    click(tab, 0.02, 0.03)
    expect(tab.get_by_text("A toy anomaly must lie in the brain; click on a pixel inside it.")).to_be_visible()


@pytest.mark.shows(17)
def test_maps_and_curves_follow_a_click_and_undo_brings_back_every_pixel(tab):
    clean = pictures(tab)
    plant(tab)
    first, said = pictures(tab), scores(tab)
    assert all(one != other for one, other in zip(clean, first, strict=True))
    assert len(said) == len(points(tab)) == len(FIRST)
    press_button(tab, "Random", 2)
    assert scores(tab) != said
    press_button(tab, "Undo", 1)
    assert pictures(tab) == first
    assert scores(tab) == said


@pytest.mark.shows(11)
def test_moving_the_threshold_moves_the_point(tab):
    plant(tab)
    before, threshold = points(tab), note(tab, "Logistic fusion of maps")
    mark = tab.get_by_label("Threshold of Logistic fusion of maps")
    mark.focus()
    mark.press("End")
    tab.wait_for_timeout(1500)
    after = points(tab)
    assert note(tab, "Logistic fusion of maps") > threshold
    assert after[0][0] < before[0][0], "a higher threshold finds less"
    assert after[1:] == before[1:], "methods of another unit keep theirs"
    assert scores(tab)[0].endswith(f"above {note(tab, 'Logistic fusion of maps'):.3g}")


@pytest.mark.shows(11)
@pytest.mark.parametrize("share", [0.5, 1.0])
def test_a_click_on_a_curve_sets_the_threshold_also_beyond_the_first_colours(tab, share):
    plant(tab)
    plot = tab.locator(".js-plotly-plot").first
    plot.scroll_into_view_if_needed()
    place = """(plot, share) => {
      const { xaxis4, yaxis4 } = plot._fullLayout, curve = plot.data[3], at = Math.floor((curve.x.length - 1) * share);
      const box = plot.getBoundingClientRect();
      return { x: box.x + xaxis4._offset + xaxis4.l2p(curve.x[at]), y: box.y + yaxis4._offset + yaxis4.l2p(curve.y[at]),
               threshold: curve.customdata[at], point: [curve.x[at], curve.y[at]] };
    }"""
    wanted = plot.evaluate(place, share)
    assert note(tab, "Voxel atlas (baseline)") != pytest.approx(wanted["threshold"], rel=1e-2)
    tab.mouse.move(wanted["x"], wanted["y"])
    tab.wait_for_timeout(300)
    tab.mouse.click(wanted["x"], wanted["y"])
    tab.wait_for_timeout(2000)
    assert note(tab, "Voxel atlas (baseline)") == pytest.approx(wanted["threshold"], rel=2e-3)
    assert points(tab)[3] == pytest.approx(wanted["point"], abs=1e-6)


def test_planting_keeps_the_zoom(tab):
    plant(tab)
    tab.keyboard.press("+")
    tab.wait_for_timeout(200)
    zoomed = pictures(tab)
    press_button(tab, "Random", 2)
    press_button(tab, "Undo", 1)
    assert pictures(tab) == zoomed


def test_the_sweep_draws_ap_against_a_setting(tab):
    plant(tab)
    tab.get_by_role("button", name="Draw AP").click()
    swept = tab.locator(".js-plotly-plot").nth(1)
    swept.wait_for(timeout=60_000)
    names = swept.evaluate("(plot) => plot.data.map((one) => [one.name, one.x.length])")
    assert names == [[name, 8] for name in (*FIRST, "Chance (prevalence)")]
    assert swept.evaluate("(plot) => plot._fullLayout.xaxis.title.text") == "Radius, mm"


def test_toys_and_controls_survive_another_page(tab):
    plant(tab)
    before = pictures(tab), scores(tab)
    tab.get_by_role("link", name="Explore").click()
    expect(tab.get_by_text("One map in numbers")).to_be_visible(timeout=60_000)
    tab.get_by_role("link", name="Toy lab").click()
    expect(tab.get_by_text("Toys: 1.")).to_be_visible(timeout=30_000)
    drawn(tab)
    assert (pictures(tab), scores(tab)) == before


@pytest.mark.shows(23)
def test_the_address_restores_scan_methods_and_controls(tab, browser):
    tab.get_by_role("slider", name="Radius, mm").press("ArrowRight")
    expect(tab).to_have_url(re.compile("circle_radius_mm=11"))
    tab.get_by_role("combobox", name="Sample scan").click()
    tab.get_by_role("option", name="Brain with a dark lesion").click()
    expect(tab).to_have_url(re.compile("lab_sample=Brain"))
    again = browser.new_page()
    again.goto(tab.url)
    drawn(again)
    expect(again.get_by_role("combobox", name="Sample scan")).to_have_value("Brain with a dark lesion")
    press_button(again, "Random", 1)
    expect(again).to_have_url(re.compile("circle_radius_mm=11"))
    again.close()
