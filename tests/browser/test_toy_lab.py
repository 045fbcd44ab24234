"""The toy lab as a reader sees it who clicks."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.contents import FIRST, IN_TRUTH
from tests.support.plots import plotted
from tests.support.shared_tab import shared_tab
from tests.support.waiting import script_over, two_frames, until, wait_for_maps


def opened(browser, address: str) -> Page:
    """A new tab with the toy lab. Its list keeps the errors of scripts, which fail a test."""
    tab = browser.new_page()
    tab.errors = []
    tab.on("pageerror", lambda error: tab.errors.append(str(error)))
    tab.goto(f"{address}/toy_lab")
    expect(tab.get_by_text("Click in a picture, or press Random")).to_be_visible()
    drawn(tab)
    return tab


@pytest.fixture
def fresh(address, browser):
    """The toy lab of a new tab."""
    tab = opened(browser, address)
    yield tab
    assert tab.errors == []
    tab.close()


used = shared_tab(opened)


@pytest.fixture
def tab(used, request):
    """The toy lab without toys; other tests have left crosshair and thresholds elsewhere, and all other controls as they were."""
    with used.lent(request.session) as tab:
        if address_of_toys(tab):
            let_go(tab)
            tab.get_by_role("button", name="Clear", exact=True).click()
            expect(tab.get_by_text("Click in a picture, or press Random")).to_be_visible()
            drawn(tab)
            tab.mouse.move(0, 0)
        yield tab
        assert tab.errors == []


def drawn(tab: Page) -> None:
    """The script has run and the viewer shows what it sent."""
    script_over(tab)
    wait_for_maps(tab)
    two_frames(tab)


def click(tab: Page, across: float, down: float) -> None:
    tab.mouse.click(*at(tab, across, down))


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


def go_to(tab: Page, toy: str) -> None:
    """Chooses a toy of the list."""
    tab.get_by_role("radio", name=toy).or_(tab.get_by_role("button", name=toy)).click()
    drawn(tab)


def chosen(tab: Page) -> Locator:
    """The toys that the list shows as chosen."""
    return tab.locator(".st-key-lab_list [aria-checked=true]")


def let_go(tab: Page) -> None:
    """No toy is chosen, and the list says so."""
    tab.locator(".viewer").press("Escape")
    expect(chosen(tab)).to_have_count(0)
    script_over(tab)


def planted(tab: Page) -> list[dict]:
    """Kind, values, centre and seed of each toy, as the address names them."""
    parts = address_of_toys(tab)
    return [
        {"kind": kind, "values": [float(one) for one in values], "centre": [int(at) for at in centre.split(".")], "seed": seed}
        for kind, *values, centre, seed in parts
    ]


def address_of_toys(tab: Page) -> list[list[str]]:
    """What the address says of each toy."""
    text = parse_qs(urlsplit(tab.evaluate("location.href")).query).get("toys", [""])[0]
    return [one.split(":") for one in text.split("~") if one]


def choose_kind(tab: Page, title: str) -> None:
    """A kind of toy or lesion; no toy is chosen, which else would become one."""
    tab.get_by_role("combobox", name=re.compile("Toy$")).click()
    tab.get_by_role("option", name=title).click()
    script_over(tab)


def at(tab: Page, across: float, down: float) -> tuple[float, float]:
    """Page px of a place on the first picture."""
    box = tab.locator(".panel .view canvas").first.bounding_box()
    return box["x"] + box["width"] * across, box["y"] + box["height"] * down


def readout(tab: Page) -> str:
    return tab.locator(".readout").inner_text()


def in_truth(tab: Page) -> bool:
    """Whether the readout places its voxel in the truth."""
    return bool(IN_TRUTH.search(readout(tab)))


def pointer(tab: Page, place: tuple[float, float]) -> str:
    """What the pointer looks like at a place, to which it moves, on the first picture."""
    tab.mouse.move(place[0] - 1, place[1])
    tab.mouse.move(*place)
    return tab.locator(".panel .view canvas").first.evaluate("(canvas) => getComputedStyle(canvas).cursor")


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
    let_go(tab)  # the arrows move the crosshair while no toy is chosen
    centre = readout(tab)
    assert in_truth(tab)
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


def test_a_click_beside_the_brain_is_one_sentence_that_stays_until_a_toy_has_its_place(fresh):
    fresh.locator(".viewer").evaluate("(viewer) => { viewer.known = true; }")
    click(fresh, 0.02, 0.03)
    sentence = fresh.get_by_text("A toy anomaly must lie in the brain; click on a pixel inside it.")
    expect(sentence).to_be_visible()
    mark = fresh.get_by_label("Threshold of Logistic fusion of maps")
    mark.focus()
    mark.press("End")
    mark.blur()
    script_over(fresh)
    expect(sentence).to_be_visible()
    assert fresh.locator(".viewer").evaluate("(viewer) => viewer.known"), "the viewer was not built anew"
    plant(fresh)
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
    assert scores(tab) == said
    go_to(tab, "1 Circle")
    until(lambda: pictures(tab) == first)
    press_button(tab, "Redo", 2)
    assert scores(tab) != said


@pytest.mark.shows(11)
def test_moving_the_threshold_moves_the_point(fresh):
    plant(fresh)
    before, threshold = points(fresh), note(fresh, "Logistic fusion of maps")
    mark = fresh.get_by_label("Threshold of Logistic fusion of maps")
    mark.focus()
    mark.press("End")
    until(lambda: note(fresh, "Logistic fusion of maps") > threshold)
    until(lambda: points(fresh)[0][0] < before[0][0])  # a higher threshold finds less
    after = points(fresh)
    assert after[1:] == before[1:], "methods of another unit keep theirs"
    assert scores(fresh)[0].endswith(f"above {note(fresh, 'Logistic fusion of maps'):.3g}")


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
    go_to(tab, "1 Circle")
    until(lambda: pictures(tab) == zoomed)
    tab.get_by_role("button", name="Reset", exact=True).click()


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
def test_the_address_restores_scan_methods_and_controls(fresh, browser):
    fresh.get_by_role("slider", name="Radius, mm").press("ArrowRight")
    expect(fresh).to_have_url(re.compile("circle_radius_mm=11"))
    fresh.get_by_role("combobox", name="Scan", exact=True).click()
    fresh.get_by_role("option", name="Healthy brain B with a painted lesion").click()
    expect(fresh).to_have_url(re.compile("lab_sample=Healthy"))
    again = browser.new_page()
    again.goto(fresh.url)
    drawn(again)
    expect(again.get_by_role("combobox", name="Scan", exact=True)).to_have_value("Healthy brain B with a painted lesion")
    press_button(again, "Random", 1)
    expect(again).to_have_url(re.compile("circle_radius_mm=11"))
    again.close()


SPOTS = [(across, down) for down in (0.3, 0.45, 0.6) for across in (0.3, 0.5, 0.7)] + [(0.5, 0.75)]
BESIDE = (0.02, 0.03)
CLICKS = """async (target, spots) => {
  const { x, y, width, height } = target.getBoundingClientRect();
  target.setPointerCapture = () => {};
  for (const [across, down] of spots) {
    const place = { clientX: x + width * across, clientY: y + height * down, pointerId: 1, bubbles: true };
    target.dispatchEvent(new PointerEvent("pointerdown", place));
    target.dispatchEvent(new PointerEvent("pointerup", place));
    await new Promise((done) => setTimeout(done, 150));
  }
}"""
FADED = """() => { window.faintest = 1; const look = () => {
  for (const one of document.querySelectorAll("[data-testid=stMain] [data-testid=stElementContainer]")) {
    window.faintest = Math.min(window.faintest, Number(getComputedStyle(one).opacity));
  }
  requestAnimationFrame(look);
}; look(); }"""


@pytest.mark.shows(28)
def test_ten_clicks_in_two_seconds_plant_ten_toys_and_one_beside_the_brain_is_said(tab):
    tab.evaluate(FADED)
    tab.locator(".panel .view canvas").first.evaluate(CLICKS, [*SPOTS[:5], BESIDE, *SPOTS[5:], BESIDE])
    expect(tab.get_by_text("Toys: 10.")).to_be_visible()
    drawn(tab)
    expect(tab.get_by_text("A toy anomaly must lie in the brain")).to_be_visible()
    toys = planted(tab)
    assert [toy["centre"] for toy in toys] == sorted((toy["centre"] for toy in toys), key=lambda ijk: (-ijk[1], -ijk[0]))
    assert tab.evaluate("window.faintest") == 1, "nothing on the page fades while it is computed"


@pytest.mark.shows(27)
def test_a_click_chooses_a_toy_and_its_controls_shape_it_alone(fresh):
    plant(fresh)
    fresh.get_by_role("slider", name="Radius, mm").press("ArrowRight")
    plant(fresh, 0.64, 0.45, 2)
    assert [toy["values"][0] for toy in planted(fresh)] == [11, 11]
    fresh.get_by_role("slider", name="Radius, mm").press("ArrowLeft")
    until(lambda: [toy["values"][0] for toy in planted(fresh)] == [11, 10])
    click(fresh, 0.36, 0.45)
    expect(fresh.get_by_role("slider", name="Radius, mm")).to_have_value("11")
    drawn(fresh)
    fresh.get_by_role("slider", name="Radius, mm").press("ArrowRight")
    until(lambda: [toy["values"][0] for toy in planted(fresh)] == [12, 10])
    expect(fresh.get_by_text("Toys: 2.")).to_be_visible()


@pytest.mark.shows(27)
def test_a_toy_is_dragged_pulled_larger_nudged_deleted_and_each_is_undone_by_key(fresh):
    plant(fresh)
    [before] = planted(fresh)
    start, end = at(fresh, 0.36, 0.45), at(fresh, 0.6, 0.6)
    still = pictures(fresh)
    fresh.mouse.move(*start)
    fresh.mouse.down()
    fresh.mouse.move(*end, steps=6)
    two_frames(fresh)
    assert pictures(fresh) != still, "the outline follows the pointer"
    fresh.mouse.up()
    until(lambda: planted(fresh)[0]["centre"] != before["centre"])
    drawn(fresh)
    [moved] = planted(fresh)
    fresh.mouse.move(*end)
    two_frames(fresh)
    assert in_truth(fresh)
    voxel = (start[0] - end[0]) / (moved["centre"][0] - before["centre"][0])  # px
    edge = end[0] + 5 * abs(voxel), end[1]  # 10 mm are five voxels
    fresh.mouse.move(*edge)
    fresh.mouse.down()
    fresh.mouse.move(edge[0] + 3 * abs(voxel), edge[1], steps=3)
    fresh.mouse.up()
    until(lambda: planted(fresh)[0]["values"][0] == pytest.approx(16, abs=2))  # its centre is a voxel's
    drawn(fresh)
    expect(fresh.get_by_role("slider", name="Radius, mm")).to_have_value(re.compile("1[4-8]"))
    [larger] = planted(fresh)
    for _ in range(3):
        fresh.keyboard.press("ArrowUp")
    nudged = larger["centre"][1] + 3
    until(lambda: planted(fresh)[0]["centre"][1] == nudged)
    drawn(fresh)
    fresh.keyboard.press("Delete")
    until(lambda: planted(fresh) == [])
    drawn(fresh)
    fresh.keyboard.press("Control+z")
    until(lambda: [toy["centre"][1] for toy in planted(fresh)] == [nudged])
    drawn(fresh)
    while (known := planted(fresh)) != [larger]:
        fresh.keyboard.press("Control+z")
        until(lambda known=known: planted(fresh) != known)
        drawn(fresh)
    fresh.keyboard.press("Control+z")
    until(lambda: planted(fresh) == [moved])
    drawn(fresh)
    fresh.keyboard.press("Control+Shift+z")
    until(lambda: planted(fresh) == [larger])
    drawn(fresh)
    fresh.keyboard.press("Control+z")
    fresh.keyboard.press("Control+z")
    until(lambda: planted(fresh) == [before])
    drawn(fresh)
    fresh.keyboard.press("Control+y")
    until(lambda: planted(fresh) == [moved])


@pytest.mark.shows(27)
def test_maps_follow_a_toy_while_it_is_dragged_and_a_drag_that_is_off_the_brain_changes_nothing(tab):
    plant(tab)
    before, [toy] = pictures(tab), planted(tab)
    tab.mouse.move(*at(tab, 0.36, 0.45))
    tab.mouse.down()
    tab.mouse.move(*at(tab, 0.6, 0.6), steps=4)
    expect(tab.locator(".viewer")).to_have_attribute("data-previews", re.compile("."))
    until(lambda: all(one != other for one, other in zip(before, pictures(tab), strict=True)))
    assert planted(tab) == [toy], "python plants it when it is dropped"
    tab.mouse.move(*at(tab, 0.02, 0.03), steps=4)
    tab.mouse.up()
    expect(tab.get_by_text("A toy anomaly must lie in the brain")).to_be_visible()
    drawn(tab)
    tab.mouse.move(0, 0)
    until(lambda: pictures(tab) == before)
    assert planted(tab) == [toy]


@pytest.mark.shows(45)
def test_a_painted_lesion_is_planted_like_a_toy_and_one_of_ones_own_is_drawn(fresh):
    choose_kind(fresh, "Painted: Mass with expansion")
    plant(fresh)
    expect(fresh.get_by_text("1 Mass with expansion")).to_be_visible()
    until(lambda: in_truth(fresh))
    let_go(fresh)
    choose_kind(fresh, "Painted: Drawn by hand")
    start, corner, end = at(fresh, 0.62, 0.62), at(fresh, 0.62, 0.5), at(fresh, 0.7, 0.5)
    until(lambda: pointer(fresh, start) == "cell")  # the viewer has heard of the brush
    fresh.mouse.down()
    fresh.mouse.move(*corner, steps=5)
    fresh.mouse.move(*end, steps=5)
    fresh.mouse.up()
    expect(fresh.get_by_text("2 Drawn by hand")).to_be_visible()
    script_over(fresh)
    [mass, line] = address_of_toys(fresh)
    assert mass[0] == "mass"
    assert line[0] == "drawn"
    assert len(line[-1].split("*")) >= 4, "the line has several voxels"
    for place in (start, corner, end):
        fresh.mouse.move(*place)
        until(lambda: in_truth(fresh))
    fresh.mouse.move(*at(fresh, 0.7, 0.62))
    until(lambda: "not in the truth" in readout(fresh))
    fresh.keyboard.press("Control+z")
    until(lambda: len(address_of_toys(fresh)) == 1)


@pytest.mark.shows(29)
def test_the_same_map_has_the_same_scale_and_threshold_on_explore(fresh):
    marks = {panel: note(fresh, panel) for panel in FIRST}
    units = fresh.locator(".panel .unit").all_inner_texts()
    fresh.get_by_role("link", name="Explore").click()
    expect(fresh.get_by_role("heading", name="Explore", level=2)).to_be_visible()
    drawn(fresh)  # a run closes the list
    fresh.get_by_role("combobox", name="Scan", exact=True).click()
    fresh.get_by_role("option", name="Healthy brain A", exact=True).click()
    expect(fresh.get_by_text("A healthy adult of 39")).to_be_visible()
    expect(fresh.get_by_text("One map in numbers")).to_be_visible()
    drawn(fresh)
    for panel in FIRST:
        assert note(fresh, panel) == pytest.approx(marks[panel], rel=3e-3)
        assert "healthy 5.0 %" in fresh.locator(f'section[aria-label="{panel}"] .note').inner_text()
    assert fresh.locator(".panel .unit").all_inner_texts() == units


@pytest.mark.shows(8)
def test_maps_are_linked_where_the_reader_asks_for_it(fresh):
    before = {panel: note(fresh, panel) for panel in FIRST}
    fresh.get_by_label("Same range").check()
    fresh.get_by_label("Threshold of Logistic fusion of maps").focus()
    fresh.keyboard.press("End")
    until(lambda: all(note(fresh, panel) > before[panel] for panel in FIRST))


@pytest.mark.shows(30)
def test_random_goes_to_its_toy_and_so_does_the_list(tab):
    places = [readout(tab)]
    for count in (1, 2):
        press_button(tab, "Random", count)
        until(lambda: readout(tab) != places[-1])
        drawn(tab)  # with the values of its maps
        assert in_truth(tab)
        places.append(readout(tab))
    for toy in (0, 1, 1):  # the last is chosen already, and gone to again
        if toy:
            let_go(tab)
            tab.keyboard.press("ArrowLeft")
        go_to(tab, f"{toy + 1} Circle")
        expect(chosen(tab)).to_have_text(f"{toy + 1} Circle")
        until(lambda wanted=places[toy + 1]: readout(tab) == wanted)


@pytest.mark.shows(23, 31)
def test_a_link_restores_the_toys(fresh, browser):
    plant(fresh)
    plant(fresh, 0.64, 0.45, 2)
    said = scores(fresh)
    again = browser.new_page()
    again.goto(fresh.url)
    expect(again.get_by_text("Toys: 2.")).to_be_visible()
    drawn(again)
    assert scores(again) == said
    assert planted(again) == planted(fresh)
    again.close()


@pytest.mark.shows(15, 31)
def test_a_link_whose_toys_cannot_be_is_one_sentence(address, browser):
    tab = browser.new_page()
    tab.goto(f"{address}/toy_lab?toys=circle:10:-1:50:1.1.1:1")
    expect(tab.get_by_text("The toys that this address names cannot be planted in this scan")).to_be_visible()
    drawn(tab)
    press_button(tab, "Random", 1)
    expect(tab.get_by_text("cannot be planted in this scan")).to_be_hidden()
    tab.close()
