"""The toy lab as a reader sees it who clicks."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.contents import FIRST
from tests.support.plots import plotted
from tests.support.waiting import script_over, two_frames, until, wait_for_maps


@pytest.fixture
def tab(address, browser):
    """The toy lab; an error in a script fails the test."""
    tab = browser.new_page()
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.goto(f"{address}/toy_lab")
    expect(tab.get_by_text("Click in a picture, or press Random")).to_be_visible()
    drawn(tab)
    yield tab
    assert errors == []
    tab.close()


def drawn(tab: Page) -> None:
    """The script has run and the viewer shows what it sent."""
    script_over(tab)
    wait_for_maps(tab)
    two_frames(tab)


def click(tab: Page, across: float, down: float) -> None:
    box = tab.locator(".panel .view canvas").first.bounding_box()
    tab.mouse.click(box["x"] + box["width"] * across, box["y"] + box["height"] * down)


def plant(tab: Page, across: float = 0.36, down: float = 0.45, count: int = 1) -> None:
    """Clicks in the scan and waits for the toy."""
    click(tab, across, down)
    expect(tab.get_by_text(f"Toys: {count}.")).to_be_visible()
    drawn(tab)


def press_button(tab: Page, name: str, count: int) -> None:
    """Presses a button and waits for so many toys."""
    tab.get_by_role("button", name=name).click()
    expect(tab.get_by_text(f"Toys: {count}.")).to_be_visible()
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
    return plotted(tab, "(plot) => plot.data.filter((one) => one.mode === 'markers').map((one) => [one.x[0], one.y[0]])")


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
            two_frames(tab)
            inside += 1
        assert inside == 6, "10 mm are five voxels of 2 mm"
        back = {"Left": "Right", "Right": "Left", "Up": "Down", "Down": "Up"}[key.removeprefix("Arrow")]
        for _ in range(inside):
            tab.keyboard.press(f"Arrow{back}")
        two_frames(tab)
        assert readout(tab) == centre


def test_a_click_beside_the_brain_is_one_sentence_that_stays_until_a_toy_has_its_place(tab):
    tab.locator(".viewer").evaluate("(viewer) => { viewer.known = true; }")
    click(tab, 0.02, 0.03)
    sentence = tab.get_by_text("A toy anomaly must lie in the brain; click on a pixel inside it.")
    expect(sentence).to_be_visible()
    mark = tab.get_by_label("Threshold of Logistic fusion of maps")
    mark.focus()
    mark.press("End")
    mark.blur()
    script_over(tab)
    expect(sentence).to_be_visible()
    assert tab.locator(".viewer").evaluate("(viewer) => viewer.known"), "the viewer was not built anew"
    plant(tab)
    expect(sentence).to_be_hidden()


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
    until(lambda: note(tab, "Logistic fusion of maps") > threshold)
    until(lambda: points(tab)[0][0] < before[0][0])  # a higher threshold finds less
    after = points(tab)
    assert after[1:] == before[1:], "methods of another unit keep theirs"
    assert scores(tab)[0].endswith(f"above {note(tab, 'Logistic fusion of maps'):.3g}")


@pytest.mark.shows(11)
@pytest.mark.parametrize("share", [0.5, 1.0])
def test_a_click_on_a_curve_sets_the_threshold_also_beyond_the_first_colours(tab, share):
    plant(tab)
    tab.locator(".js-plotly-plot").first.scroll_into_view_if_needed()
    place = """(plot, share) => {
      const { xaxis4, yaxis4 } = plot._fullLayout, curve = plot.data[3], at = Math.floor((curve.x.length - 1) * share);
      const box = plot.getBoundingClientRect();
      return { x: box.x + xaxis4._offset + xaxis4.l2p(curve.x[at]), y: box.y + yaxis4._offset + yaxis4.l2p(curve.y[at]),
               threshold: curve.customdata[at], point: [curve.x[at], curve.y[at]] };
    }"""
    wanted = plotted(tab, place, given=share)
    assert note(tab, "Voxel atlas (baseline)") != pytest.approx(wanted["threshold"], rel=1e-2)
    tab.mouse.move(wanted["x"], wanted["y"])
    tab.locator(".js-plotly-plot .hoverlayer .hovertext").first.wait_for()
    tab.mouse.click(wanted["x"], wanted["y"])
    until(lambda: note(tab, "Voxel atlas (baseline)") == pytest.approx(wanted["threshold"], rel=2e-3))
    assert points(tab)[3] == pytest.approx(wanted["point"], abs=1e-6)


def test_planting_keeps_the_zoom(tab):
    plant(tab)
    tab.keyboard.press("+")
    two_frames(tab)
    zoomed = pictures(tab)
    press_button(tab, "Random", 2)
    press_button(tab, "Undo", 1)
    assert pictures(tab) == zoomed


def test_the_sweep_draws_ap_against_a_setting(tab):
    plant(tab)
    tab.get_by_role("button", name="Draw AP").click()
    names = plotted(tab, "(plot) => plot.data.map((one) => [one.name, one.x.length])", 1)
    assert names == [[name, 8] for name in (*FIRST, "Chance (prevalence)")]
    assert plotted(tab, "(plot) => plot._fullLayout.xaxis.title.text", 1) == "Radius, mm"


def test_toys_and_controls_survive_another_page(tab):
    plant(tab)
    before = pictures(tab), scores(tab)
    tab.get_by_role("link", name="Explore").click()
    expect(tab.get_by_text("One map in numbers")).to_be_visible()
    tab.get_by_role("link", name="Toy lab").click()
    expect(tab.get_by_text("Toys: 1.")).to_be_visible()
    drawn(tab)
    assert (pictures(tab), scores(tab)) == before


@pytest.mark.shows(23)
def test_the_address_restores_scan_methods_and_controls(tab, browser):
    tab.get_by_role("slider", name="Radius, mm").press("ArrowRight")
    expect(tab).to_have_url(re.compile("circle_radius_mm=11"))
    tab.get_by_role("combobox", name="Scan", exact=True).click()
    tab.get_by_role("option", name="Healthy brain B with a painted lesion").click()
    expect(tab).to_have_url(re.compile("lab_sample=Healthy"))
    again = browser.new_page()
    again.goto(tab.url)
    drawn(again)
    expect(again.get_by_role("combobox", name="Scan", exact=True)).to_have_value("Healthy brain B with a painted lesion")
    press_button(again, "Random", 1)
    expect(again).to_have_url(re.compile("circle_radius_mm=11"))
    again.close()
