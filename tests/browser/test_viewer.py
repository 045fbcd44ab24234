"""The viewer in chromium, over phantoms whose left and right, coordinates and values nibabel knows."""

import base64
import io
import itertools
import os
import re
from collections import Counter

import nibabel as nib
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.support.server import served
from tests.support.shared_tab import shared_tab
from tests.support.waiting import script_over, two_frames, until, wait_for_maps

CENTRE = np.array([5.0, -12.0, 30.0])
BALL = np.array([18.0, 22.0, 14.0])  # to the right, anterior and superior of the centre
AXES = {"R": [1, 0, 0], "L": [-1, 0, 0], "A": [0, 1, 0], "P": [0, -1, 0], "S": [0, 0, 1], "I": [0, 0, -1]}
QUIET = {"STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false", "STREAMLIT_THEME_BASE": "dark"}  # a page in tests/ has no config
FILES = ["RAS", "LAS", "PSR", "oblique"]
NUMBERS = itertools.count(1)  # of the viewers that are shown


def phantom(codes: str, spacing_mm=(1.5, 2.0, 2.5), turn: np.ndarray | None = None) -> nib.Nifti1Image:
    """An ellipsoid of 100 around CENTRE with a ball of 300 at BALL, stored with the given axes."""
    axes = np.array([AXES[code] for code in codes]).T * spacing_mm
    axes = axes if turn is None else turn @ axes
    shape = np.array([64, 64, 64]) if max(spacing_mm) < 4 else np.array([110, 110, 30])
    affine = nib.affines.from_matvec(axes, CENTRE - axes @ ((shape - 1) / 2))
    world = nib.affines.apply_affine(affine, np.moveaxis(np.indices(shape), 0, -1)) - CENTRE
    brain = ((world / [38, 46, 34]) ** 2).sum(-1) < 1
    ball = ((world - BALL) ** 2).sum(-1) < 10**2
    return nib.Nifti1Image(np.where(ball, 300, 100 * brain).astype(np.float32), affine)


def turned(about_z: float, about_x: float) -> np.ndarray:
    return nib.eulerangles.euler2mat(z=np.deg2rad(about_z), x=np.deg2rad(about_x))


@pytest.fixture(scope="module")
def images():
    flat = phantom("RAS", (1.0, 1.0, 5.0))
    return {code: phantom(code) for code in FILES[:3]} | {"oblique": phantom("LAS", turn=turned(20, 12)), "flat": flat}


@pytest.fixture(scope="module")
def address(images, tmp_path_factory):
    folder = tmp_path_factory.mktemp("phantoms")
    for name, image in images.items():
        nib.save(image, folder / f"{name}.nii.gz")
    with served(script="tests/support/viewer_page.py", env=os.environ | {"PHANTOMS": str(folder)} | QUIET) as address:
        yield address


def opened(browser, address: str) -> Page:
    """A tab with the page. Its lists keep errors of scripts, what the websocket sent and received, and what was asked for."""
    tab = browser.new_page()
    tab.errors, tab.sent, tab.received, tab.requests = [], [], [], []
    tab.on("pageerror", lambda error: tab.errors.append(str(error)))
    tab.on("console", lambda message: tab.errors.append(message.text) if message.type == "error" else None)
    tab.on("request", lambda request: tab.requests.append(request.url))
    tab.on("websocket", lambda socket: socket.on("framesent", lambda frame: tab.sent.append(len(frame))))
    tab.on("websocket", lambda socket: socket.on("framereceived", lambda frame: tab.received.append(len(frame))))
    tab.goto(address)
    wait_for_maps(tab)
    script_over(tab)
    return tab


reader = shared_tab(opened)


@pytest.fixture
def shown(reader, address, request):
    """Shows a phantom, in a viewer as in a new tab; a script error or a foreign request fails the test."""
    with reader.lent(request.session) as tab:
        tab.errors.clear()
        tab.requests.clear()

        def show(name: str = "RAS") -> Page:
            said = f"{name} {next(NUMBERS)}"
            field = tab.get_by_label("Phantom")
            field.fill(said)
            field.press("Enter")
            expect(tab.get_by_text(f"{said} is shown")).to_be_visible()
            script_over(tab)  # which takes the former viewer away
            wait_for_maps(tab)
            expect(tab.get_by_text("thresholds {}")).to_be_visible()
            return tab

        yield show
        tab.set_viewport_size({"width": 1440, "height": 900})
        tab.mouse.move(0, 0)
        assert tab.errors == []
        assert [url for url in tab.requests if not url.startswith((address, "blob:", "data:"))] == []


def press(tab: Page, name: str) -> None:
    tab.get_by_role("button", name=name, exact=True).click()
    two_frames(tab)


def press_key(tab: Page, key: str) -> None:
    tab.keyboard.press(key)
    two_frames(tab)


def canvas(tab: Page, panel: str = "Scan", plane: str = "axial"):
    return tab.locator(f'section[aria-label="{panel}"] .view[data-plane={plane}] canvas')


def pixels(tab: Page, panel: str = "Scan", plane: str = "axial") -> np.ndarray:
    """(H, W, 3) of what a canvas shows, once it is drawn."""
    two_frames(tab)
    url = canvas(tab, panel, plane).evaluate("(canvas) => canvas.toDataURL('image/png')")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))).convert("RGB")).astype(int)


def middle(found: np.ndarray) -> np.ndarray:
    """x, y of the centre of a mask of pixels."""
    assert found.any()
    y, x = np.nonzero(found)
    return np.array([x.mean(), y.mean()])


def read(tab: Page, part: str) -> list[float]:
    """The numbers of one part of the line under the panels."""
    text = tab.locator(f".readout .{part}").inner_text().replace("−", "-")
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", text)]


def slice_label(tab: Page, panel: str, plane: str = "axial") -> str:
    return tab.locator(f'section[aria-label="{panel}"] .view[data-plane={plane}] .slice').inner_text()


def letter(tab: Page, side: str, plane: str = "axial") -> str:
    return tab.locator(f'section[aria-label="Scan"] .view[data-plane={plane}] .letter.{side}').inner_text()


def drag(tab: Page, start, end, **options) -> None:
    tab.mouse.move(*start)
    tab.mouse.down(**options)
    tab.mouse.move(*end, steps=8)
    tab.mouse.up(**options)
    two_frames(tab)


def point(tab: Page, x: float, y: float, panel: str = "Scan", plane: str = "axial") -> tuple[float, float]:
    """Page px of a place on a canvas given as shares of its width and height."""
    box = canvas(tab, panel, plane).bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


PANELS = ["Scan", "Brightness", "<b>Half</b>", "Signed", "Rare"]


@pytest.mark.shows(20, 25, 39)
def test_every_panel_is_drawn_on_black_and_nothing_sticks_out(shown):
    tab = shown()
    for panel in PANELS:
        picture = pixels(tab, panel)
        assert not picture[:4, :4].any(), f"the corner of {panel} is black"
        assert picture.max() > 150
    for width, height in [(1440, 900), (1024, 768), (800, 900)]:
        tab.set_viewport_size({"width": width, "height": height})
        for layout in ("Axial", "Coronal", "Sagittal", "Planes", "Mosaic"):
            press(tab, layout)
            assert tab.evaluate("document.documentElement.scrollWidth") <= width
            edge = tab.locator(".viewer").bounding_box()
            for box in [one.bounding_box() for one in tab.locator(".panel, .controls > *:visible, .readout").all()]:
                assert box["x"] >= edge["x"] - 1
                assert box["x"] + box["width"] <= edge["x"] + edge["width"] + 1


NAME = "(control) => control.ariaLabel"


@pytest.mark.shows(25, 39)
def test_controls_lie_in_groups_by_name_and_the_keyboard_reaches_each_by_its_name(shown):
    tab = shown()
    groups = tab.locator(".controls").get_by_role("group")
    assert [group.get_attribute("aria-label") for group in groups.all()] == ["Layout", "Overlay", "Window", "Measure", "View"]
    for group in groups.all():
        expect(group).to_contain_text(group.get_attribute("aria-label"))
    controls = tab.locator(".controls").locator("button:enabled, input, select, [role=slider]").locator("visible=true")
    names = controls.evaluate_all(f"(all) => all.map({NAME})")
    assert all(names)
    assert len(set(names)) == len(names) > 15
    controls.first.focus()
    reached = []
    for _ in names:
        reached.append(tab.locator(".controls :focus").evaluate(NAME))
        tab.keyboard.press("Tab")
    assert reached == names
    titles = controls.evaluate_all("(all) => all.map((one) => one.closest('[title]')?.title ?? '')")
    assert all(titles), "a tooltip says what each does"


def test_a_name_is_text_never_markup(shown):
    assert shown().locator('section[aria-label="<b>Half</b>"] header strong').inner_text() == "<b>Half</b>"


@pytest.mark.shows(3)
@pytest.mark.parametrize("name", FILES)
def test_the_ball_lies_towards_right_anterior_superior_however_the_file_is_stored(shown, name):
    tab = shown(name)
    press(tab, "Planes")
    for radiological in (True, False):
        assert letter(tab, "left") == ("R" if radiological else "L")
        assert letter(tab, "left", "coronal") == ("R" if radiological else "L")
        for plane in ("axial", "coronal", "sagittal"):
            picture = pixels(tab, plane=plane)
            shift = middle(picture.min(-1) > 200) - middle(picture.min(-1) > 60)
            sides = letter(tab, "left" if shift[0] < 0 else "right", plane) + letter(
                tab, "top" if shift[1] < 0 else "bottom", plane
            )
            assert sides == {"axial": "RA", "coronal": "RS", "sagittal": "AS"}[plane]
        tab.locator(".side").click()
        two_frames(tab)
    expect(tab.get_by_role("button", name="Radiological", exact=True)).to_have_text("R | L")


@pytest.mark.shows(4)
@pytest.mark.parametrize("name", FILES)
def test_voxel_millimetres_and_values_equal_nibabels(shown, images, name):
    tab, image = shown(name), images[name]
    press(tab, "Planes")
    assert tuple(nib.aff2axcodes(image.affine)) == tuple({"oblique": "LAS"}.get(name, name))
    for plane, x, y in [("axial", 0.3, 0.4), ("axial", 0.63, 0.52), ("coronal", 0.4, 0.55), ("sagittal", 0.52, 0.36)]:
        tab.mouse.move(*point(tab, x, y, plane=plane))
        assert tab.locator(".readout .where").inner_text() == "Pointer"
        voxel = read(tab, "voxel")
        assert np.abs(np.array(read(tab, "mm")) - nib.affines.apply_affine(image.affine, voxel)).max() < 0.0501, "to a tenth"
        value = float(image.dataobj[tuple(int(at) for at in voxel)])
        assert read(tab, "scan") == [value]
        shown_value = tab.locator('section[aria-label="Brightness"] .value').inner_text()
        assert float(shown_value) == pytest.approx(value / 100, abs=1e-3)
    assert tab.locator(".readout .oblique").inner_text() == ("oblique by 23°" if name == "oblique" else "")


def test_the_pointer_is_where_the_picture_says(shown, images):
    tab, image = shown("PSR"), images["PSR"]
    x, y = middle(pixels(tab).min(-1) > 200)
    box = canvas(tab).bounding_box()
    tab.mouse.move(box["x"] + x, box["y"] + y)
    found = np.array(read(tab, "mm")) - CENTRE
    assert np.abs(found - BALL)[:2].max() < 1.6, "the middle of the bright pixels is the ball's, to a voxel"
    assert image.affine.shape == (4, 4)


@pytest.mark.shows(5)
def test_a_ball_is_round_in_voxels_of_1_by_1_by_5_mm(shown):
    tab = shown("flat")
    press(tab, "Coronal")
    y, x = np.nonzero(pixels(tab, plane="coronal").min(-1) > 200)
    scale = (np.ptp(x) + 1) / 20
    assert abs(np.ptp(y) + 1 - 20 * scale) < 5.5 * scale, "to a voxel of 5 mm"
    assert np.ptp(y) > 12 * scale


@pytest.mark.shows(2, 9)
def test_the_wheel_scrolls_every_panel_and_sends_nothing(shown):
    tab = shown()
    before, first = len(tab.sent), slice_label(tab, "Scan")
    pictures = {panel: pixels(tab, panel) for panel in PANELS}
    tab.mouse.move(*point(tab, 0.5, 0.5, "Brightness"))
    for _ in range(4):
        tab.mouse.wheel(0, 120)
    number = lambda panel: int(slice_label(tab, panel).split("/")[0].split()[-1])  # noqa: E731
    wanted = int(first.split("/")[0].split()[-1]) - 4
    until(lambda: number("Scan") == wanted)
    assert {number(panel) for panel in PANELS} == {wanted}
    assert len({slice_label(tab, panel) for panel in PANELS}) == 1
    assert all((pixels(tab, panel) != pictures[panel]).any() for panel in PANELS)
    assert len(tab.sent) == before


@pytest.mark.shows(1)
def test_a_click_moves_the_crosshair_in_the_other_planes_and_tells_python(shown):
    tab = shown()
    press(tab, "Planes")
    before = slice_label(tab, "Rare", "sagittal"), slice_label(tab, "Rare", "coronal")
    tab.mouse.click(*point(tab, 0.4, 0.6))
    tab.mouse.move(5, 5)
    two_frames(tab)
    assert (slice_label(tab, "Rare", "sagittal"), slice_label(tab, "Rare", "coronal")) != before
    voxel = tuple(int(at) for at in read(tab, "voxel"))
    expect(tab.get_by_text(f"cursor {voxel} click {voxel}")).to_be_visible()
    press(tab, "Axial")
    tab.get_by_text("Run again").click()
    expect(tab.get_by_text(f"cursor {voxel} click None")).to_be_visible()


@pytest.mark.shows(2, 25)
def test_every_key_of_the_help_does_what_it_says(shown):
    tab = shown()
    tab.locator(".viewer").focus()
    before = len(tab.sent)

    def change(key: str, part: str = "voxel") -> np.ndarray:
        start = np.array(read(tab, part))
        press_key(tab, key)
        return np.array(read(tab, part)) - start

    assert change("PageUp").tolist() == change("=").tolist() == [0, 0, 1]
    assert change("PageDown").tolist() == change("-").tolist() == [0, 0, -1]
    assert change("ArrowUp").tolist() == [0, 1, 0]
    assert change("ArrowRight").tolist() == [-1, 0, 0], "radiological: the patient's left is on the right"
    press_key(tab, "r")
    assert change("ArrowRight").tolist() == [1, 0, 0]
    for key, plane in [("2", "coronal"), ("3", "sagittal"), ("1", "axial")]:
        tab.keyboard.press(key)
        expect(canvas(tab, plane=plane)).to_be_visible()
    for key, name in [("4", "Planes"), ("5", "Mosaic"), ("1", "Axial")]:
        tab.keyboard.press(key)
        expect(tab.get_by_role("button", name=name, exact=True)).to_have_attribute("aria-pressed", "true")
    opacity = tab.get_by_label("Opacity")
    value = float(opacity.input_value())
    press_key(tab, ",")
    assert float(opacity.input_value()) < value
    shares = tab.locator('section[aria-label="Rare"] .note').inner_text()
    assert len(tab.sent) == before, "keys send nothing"
    tab.keyboard.press("]")
    expect(tab.locator('section[aria-label="Rare"] .note')).not_to_have_text(shares)
    tab.keyboard.press("Enter")
    voxel = tuple(int(at) for at in read(tab, "voxel"))
    expect(tab.get_by_text(f"cursor {voxel} click {voxel}")).to_be_visible()


@pytest.mark.shows(6)
def test_dragging_the_threshold_sends_nothing_until_it_is_released(shown):
    tab = shown()
    mark = tab.locator('section[aria-label="Brightness"] .threshold')
    mark.scroll_into_view_if_needed()
    box = mark.bounding_box()
    y = box["y"] + box["height"] / 2
    start = box["x"] + 3 + float(mark.input_value()) / 1000 * (box["width"] - 6)
    before, coloured = len(tab.sent), []
    tab.mouse.move(start, y)
    tab.mouse.down()
    for share in (0.1, 0.2, 0.5, 0.9):
        tab.mouse.move(box["x"] + share * box["width"], y, steps=3)
        picture = pixels(tab, "Brightness")
        coloured.append(int((np.ptp(picture, axis=-1) > 60).sum()))
    assert len(tab.sent) == before
    assert coloured[0] > 5 * coloured[2] > 0, "the marked area shrinks while the mark is dragged"
    tab.mouse.up()
    expect(tab.get_by_text(re.compile(r"thresholds \{'Brightness': 2\.[67]"))).to_be_visible()
    assert len(tab.sent) > before


def test_python_moves_crosshair_and_thresholds_until_the_reader_does(shown):
    tab = shown()
    tab.mouse.click(*point(tab, 0.4, 0.6))
    tab.get_by_text("Jump").click()
    expect(tab.get_by_text("cursor (30, 31, 32)")).to_be_visible()
    expect(tab.locator('section[aria-label="<b>Half</b>"] .note')).to_contain_text("Above 2.5 units")
    expect(tab.locator('section[aria-label="Rare"] .note')).to_contain_text("healthy 10.0 %")
    tab.mouse.move(5, 5)
    two_frames(tab)
    assert read(tab, "voxel") == [30, 31, 32]
    tab.mouse.click(*point(tab, 0.3, 0.5))
    expect(tab.get_by_text("cursor (30, 31, 32)")).to_be_hidden()


def test_a_double_click_on_its_title_enlarges_a_panel_and_again_restores_all(shown):
    tab = shown()
    panels = tab.locator(".panel")
    before = panels.first.bounding_box()["width"]
    tab.locator('section[aria-label="Signed"] header strong').dblclick()
    expect(panels).to_have_count(1)
    assert panels.bounding_box()["width"] > 2.5 * before
    tab.locator('section[aria-label="Signed"] header strong').dblclick()
    expect(panels).to_have_count(5)
    press(tab, "Enlarge Rare")
    expect(panels).to_have_count(1)
    tab.locator(".viewer").focus()
    tab.keyboard.press("Escape")
    expect(panels).to_have_count(5)


def test_a_viewer_that_comes_back_is_as_it_was_left(shown):
    tab = shown()
    press(tab, "Coronal")
    tab.mouse.click(*point(tab, 0.4, 0.6, plane="coronal"))
    tab.locator('section[aria-label="Brightness"] .threshold').fill("500")
    expect(tab.get_by_text("thresholds {'Brightness': 1.5")).to_be_visible()
    voxel = tuple(int(at) for at in read(tab, "voxel"))
    tab.get_by_text("Hide", exact=True).click()
    expect(tab.locator(".viewer")).to_have_count(0)
    tab.get_by_text("Hide", exact=True).click()
    wait_for_maps(tab)
    expect(tab.get_by_text(f"cursor {voxel}")).to_be_visible()
    expect(tab.get_by_text("thresholds {'Brightness': 1.5")).to_be_visible()
    expect(canvas(tab, plane="coronal")).to_be_visible()


def test_full_screen_fills_the_screen(shown):
    tab = shown()
    press(tab, "Full screen")
    tab.wait_for_function("document.fullscreenElement")
    boxes = lambda: [panel.bounding_box() for panel in tab.locator(".panel").all()]  # noqa: E731
    until(lambda: max(box["x"] + box["width"] for box in boxes()) > 0.95 * 1440)
    assert max(box["y"] + box["height"] for box in boxes()) < 900
    press(tab, "Full screen")


@pytest.mark.shows(8)
def test_methods_of_one_unit_share_bar_range_and_threshold_until_unlocked(shown):
    tab = shown()

    def bar(panel: str) -> bytes:
        return tab.locator(f'section[aria-label="{panel}"] .track canvas').evaluate("(canvas) => canvas.toDataURL()")

    assert bar("Brightness") == bar("<b>Half</b>")
    end = tab.locator('section[aria-label="<b>Half</b>"] .end')
    end.fill("6")
    end.press("Enter")
    two_frames(tab)
    assert bar("Brightness") == bar("<b>Half</b>")
    assert tab.locator('section[aria-label="Brightness"] .end').input_value() == "6"
    tab.get_by_label("Same range").uncheck()
    end.fill("1")
    end.press("Enter")
    two_frames(tab)
    assert tab.locator('section[aria-label="Brightness"] .end').input_value() != "1"
    assert bar("Brightness") != bar("<b>Half</b>")


@pytest.mark.shows(7)
def test_zero_is_the_middle_colour_of_a_signed_map(shown):
    tab = shown()
    track = tab.locator('section[aria-label="Signed"] .track')
    track.locator("input").fill("0")
    two_frames(tab)
    bar = track.locator("canvas").evaluate("(canvas) => [...canvas.getContext('2d').getImageData(0, 0, 256, 1).data]")
    left, centre, right = (np.array(bar[4 * at : 4 * at + 3]) for at in (20, 127, 235))
    assert centre.max() < 70, "dark at zero"
    assert left[2] > left[0] + 40
    assert right[0] > right[2] + 40
    picture = pixels(tab, "Signed")
    assert (picture[..., 0] > picture[..., 2] + 60).any(), "the ball is above zero"
    assert (picture[..., 2] > picture[..., 0] + 40).any(), "the rest is below"


@pytest.mark.shows(46)
def test_the_rarity_scale_names_the_healthy_share_and_fades_other_maps_and_the_own_value_is_shown(shown):
    tab = shown()
    note = tab.locator('section[aria-label="Rare"] .note')
    tab.locator('section[aria-label="Rare"] .threshold').fill("333")
    expect(note).to_contain_text("Above 1.998 z")
    expect(note).to_contain_text("healthy 10.0 %")
    tab.locator('section[aria-label="Brightness"] .threshold').fill("10")
    tab.get_by_label("Truth", exact=True).uncheck()
    tab.get_by_label("Smooth").uncheck()
    grey, evenly = pixels(tab), pixels(tab, "Brightness")
    before = len(tab.sent)
    tab.get_by_label("Faded by").select_option(label="By Rare")
    faded = pixels(tab, "Brightness")
    unlike = lambda picture: np.abs(picture - grey).sum(-1)  # noqa: E731
    marked, kept = unlike(evenly) > 30, unlike(faded) > 6
    assert 0 < (kept & marked).sum() < 0.3 * marked.sum(), "outside the ball the other map lies below its threshold"
    assert unlike(faded)[kept].mean() < 0.5 * unlike(evenly)[kept].mean(), "in the ball it is a little above"
    expect(tab.locator('section[aria-label="Brightness"] .unit')).to_have_text("opacity by Rare; units")
    assert len(tab.sent) == before
    tab.get_by_label("Scale").select_option("own")
    expect(tab.locator('section[aria-label="Rare"] .end')).to_be_visible()


@pytest.mark.shows(20)
def test_hits_false_alarms_and_misses_are_told_apart(shown):
    tab = shown()
    tab.locator('section[aria-label="Brightness"] .threshold').fill("100")
    press_label = tab.get_by_label("True/false")
    press_label.check()
    opacity = tab.get_by_label("Opacity")
    opacity.fill("1000")
    tab.get_by_label("Truth", exact=True).uncheck()
    picture = pixels(tab, "Brightness")
    hit, alarm = (np.abs(picture - colour).sum(-1) < 12 for colour in ([86, 180, 233], [230, 97, 0]))
    assert hit.sum() > 50
    assert alarm.sum() > 5 * hit.sum()
    tab.locator('section[aria-label="Brightness"] .threshold').fill("1000")
    missed = np.abs(pixels(tab, "Brightness") - [240, 228, 66]).sum(-1) < 12
    assert abs(int(missed.sum()) - int(hit.sum())) < 0.1 * hit.sum(), "above the range nothing is marked: all missed"
    expect(tab.locator(".legend")).to_be_visible()


@pytest.mark.shows(20)
def test_the_truth_is_outlined(shown):
    tab = shown()
    green = lambda: (np.abs(pixels(tab) - [125, 255, 178]).sum(-1) < 60).sum()  # noqa: E731
    assert green() > 30
    tab.locator(".viewer").focus()
    tab.keyboard.press("o")
    assert green() == 0


@pytest.mark.shows(20)
def test_holding_a_key_flickers_to_the_reconstruction_and_hides_the_maps(shown):
    tab = shown()
    tab.locator(".viewer").focus()
    scan, brightness = pixels(tab), pixels(tab, "Brightness")
    tab.keyboard.down("f")
    assert pixels(tab).max(-1).mean() < 0.7 * scan.max(-1).mean(), "the reconstruction has half the intensity"
    tab.keyboard.up("f")
    np.testing.assert_array_equal(pixels(tab), scan)
    tab.keyboard.down("h")
    np.testing.assert_array_equal(pixels(tab, "Brightness"), scan)
    tab.keyboard.up("h")
    np.testing.assert_array_equal(pixels(tab, "Brightness"), brightness)


@pytest.mark.shows(9)
def test_zoom_and_pan_are_linked_and_reset(shown):
    tab = shown()
    before = {panel: pixels(tab, panel) for panel in PANELS}
    sent = len(tab.sent)
    tab.mouse.move(*point(tab, 0.3, 0.4, "Rare"))
    aim = read(tab, "mm")
    tab.keyboard.down("Control")
    tab.mouse.wheel(0, -300)
    tab.keyboard.up("Control")
    two_frames(tab)
    tab.mouse.move(*point(tab, 0.301, 0.4, "Rare"))
    assert np.abs(np.array(read(tab, "mm")) - aim).max() < 2.1, "the point under the pointer stays"
    zoomed = pixels(tab, "Scan")
    assert (zoomed > 60).any(-1).mean() > (before["Scan"] > 60).any(-1).mean()
    tab.keyboard.down("Shift")
    drag(tab, point(tab, 0.5, 0.5), point(tab, 0.7, 0.6))
    tab.keyboard.up("Shift")
    assert (pixels(tab, "Signed") != before["Signed"]).any()
    assert (pixels(tab) != zoomed).any()
    press(tab, "Reset")
    for panel in PANELS:
        np.testing.assert_array_equal(pixels(tab, panel), before[panel])
    assert len(tab.sent) == sent


@pytest.mark.shows(10)
def test_a_right_drag_changes_the_window_and_auto_brings_it_back(shown):
    tab = shown()
    before = pixels(tab)
    drag(tab, point(tab, 0.5, 0.5), point(tab, 0.2, 0.2), button="right")
    assert (pixels(tab) != before).any()
    press(tab, "Auto")
    np.testing.assert_array_equal(pixels(tab), before)


@pytest.mark.shows(40)
def test_the_windows_ends_are_dragged_and_keyed_on_a_histogram_and_send_nothing(shown):
    tab = shown()
    before, first = len(tab.sent), pixels(tab)
    low, high = (tab.get_by_role("slider", name=f"Intensity shown {name}") for name in ("black", "white"))
    ends = lambda: [float(one.get_attribute("aria-valuenow")) for one in (low, high)]  # noqa: E731
    assert ends() == [100, 300]
    box = tab.locator(".histogram").bounding_box()
    place = low.bounding_box()
    start = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
    drag(tab, start, (start[0] - box["width"] / 4, start[1]))
    assert ends() == pytest.approx([25, 300], abs=3)
    assert (pixels(tab) != first).any()
    high.focus()
    press_key(tab, "PageDown")
    press_key(tab, "ArrowRight")
    assert ends()[1] == pytest.approx(273), "hundredths of the axis"
    assert len(tab.sent) == before
    press(tab, "Auto")
    np.testing.assert_array_equal(pixels(tab), first)


@pytest.mark.shows(41)
def test_a_ruler_tells_millimetres_and_a_region_the_values_of_every_map_until_they_are_cleared(shown):
    tab = shown()
    sent, clean = len(tab.sent), pixels(tab)
    ends, told = [point(tab, 0.2, 0.3), point(tab, 0.8, 0.6)], []
    for end in ends:
        tab.mouse.move(*end)
        told.append(read(tab, "mm"))
    press(tab, "Ruler")
    drag(tab, *ends)
    table = tab.get_by_role("table", name="Measures")
    [length] = re.findall(r"^1 Ruler, axial \d+: (\d+\.\d) mm$", table.get_by_role("rowheader").inner_text())
    assert float(length) == pytest.approx(np.linalg.norm(np.subtract(*told)), abs=2.6), "the readout tells whole voxels"
    assert (pixels(tab, "Rare") != clean).any()
    tab.locator(".viewer").focus()
    tab.keyboard.press("e")
    box, (x, y) = canvas(tab).bounding_box(), middle(clean.min(-1) > 200).tolist()
    drag(tab, (box["x"] + x - 12, box["y"] + y - 12), (box["x"] + x + 12, box["y"] + y + 12))
    rows = [row.split("\t") for row in table.inner_text().splitlines()]
    region = next(at for at, cells in enumerate(rows) if "Region" in cells[0])
    count, area = re.findall(r"(\d+) voxels, (\d+\.\d) mm²", rows[region][0])[0]
    assert float(area) == pytest.approx(3 * int(count), abs=0.05), "1.5 by 2 mm each"
    assert rows[region][1:] == ["Scan", "300", "0", "300", "300"]
    assert [cells[-5:-3] for cells in rows[region + 1 :]] == [
        ["Brightness, units", "3"], ["<b>Half</b>, units", "1.5"], ["Signed, deviations", "2"], ["Rare, z", "2.5"],
    ]  # fmt: skip
    tab.keyboard.press("Escape")
    expect(tab.get_by_role("button", name="Region", exact=True)).to_have_attribute("aria-pressed", "false")
    expect(table).to_be_visible()
    press(tab, "Clear measures")
    expect(table).to_be_hidden()
    np.testing.assert_array_equal(pixels(tab), clean)
    assert len(tab.sent) == sent


NO_WEBGL = """() => { const known = HTMLCanvasElement.prototype.getContext;
  HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
    return kind === "webgl2" ? null : known.call(this, kind, ...rest); }; }"""


@pytest.mark.shows(42)
def test_clusters_in_a_brain_of_glass_are_turned_and_gone_to_and_without_webgl_a_sentence_says_so(browser, address):
    tab = opened(browser, address)
    look = {"panel": "Brightness", "plane": "solid"}
    press(tab, "3-D")
    expect(tab.get_by_role("img", name="Brightness, 3-D, 1 cluster above the threshold")).to_be_visible()
    first, sent = pixels(tab, **look), len(tab.sent)
    ball = lambda picture: picture[..., 0] > picture[..., 2] + 60  # noqa: E731
    assert 20 < ball(first).sum() < 0.1 * (first.max(-1) > 20).sum(), "in a brain that is larger"
    drag(tab, point(tab, 0.2, 0.8, **look), point(tab, 0.5, 0.8, **look))
    turned = pixels(tab, **look)
    assert abs(middle(ball(turned)) - middle(ball(first))).max() > 5
    press_key(tab, "ArrowRight")
    assert (pixels(tab, **look) != turned).any()
    tab.mouse.click(*point(tab, 0.5, 0.02, **look))
    two_frames(tab)
    assert len(tab.sent) == sent, "turning sends nothing, nor a click beside the clusters"
    x, y = middle(ball(pixels(tab, **look)))
    box = canvas(tab, **look).bounding_box()
    tab.mouse.click(box["x"] + x, box["y"] + y)
    two_frames(tab)
    tab.mouse.move(5, 5)
    two_frames(tab)
    assert read(tab, "scan") == [300], "at the ball's peak"
    voxel = tuple(int(at) for at in read(tab, "voxel"))
    expect(tab.get_by_text(f"cursor {voxel} click None")).to_be_visible()
    tab.locator('section[aria-label="Brightness"] .threshold').fill("1000")
    expect(tab.get_by_role("img", name="Brightness, 3-D, 0 clusters above the threshold")).to_be_visible()
    assert not ball(pixels(tab, **look)).any()
    script_over(tab)
    tab.evaluate(NO_WEBGL)
    tab.get_by_text("Hide", exact=True).click()
    expect(tab.locator(".viewer")).to_have_count(0)
    tab.get_by_text("Hide", exact=True).click()
    wait_for_maps(tab)
    expect(tab.get_by_text("This browser has no WebGL, so there is no 3-D view").first).to_be_visible()
    tab.close()


def test_volumes_are_fetched_once_and_reruns_send_little(browser, address):
    tab = opened(browser, address)
    fetched = [url for url in tab.requests if url.startswith(f"{address}/media/")]
    assert len(fetched) == len(set(fetched)) == 7
    received = sum(tab.received)
    for _ in range(3):
        tab.get_by_text("Run again").click()
        script_over(tab)
    press(tab, "Mosaic")
    tab.mouse.click(*point(tab, 0.4, 0.4))
    expect(tab.get_by_text("click None")).to_be_hidden()
    script_over(tab)
    assert [url for url in tab.requests if url.startswith(f"{address}/media/")] == fetched
    assert sum(tab.received) - received < 130_000, "the volumes hold more than 3 MB; a click brings the script again"
    tab.close()


def test_volumes_that_cannot_be_fetched_are_said_in_one_sentence_and_shown_when_they_can(address, browser):
    tab = browser.new_page()
    tab.route(f"{address}/media/*", lambda route: route.fulfill(status=404))
    tab.goto(address)
    said = "The volumes could not be fetched from the server; it is asked again every few seconds."
    expect(tab.get_by_role("alert")).to_have_text(said)
    tab.unroute(f"{address}/media/*")
    wait_for_maps(tab)
    expect(tab.get_by_role("alert")).to_have_count(0)
    tab.close()


def test_a_reader_who_goes_back_while_other_volumes_are_on_their_way_has_the_first_ones(browser, address):
    tab = opened(browser, address)
    held = []
    tab.route(f"{address}/media/*", lambda route: held.append(route))
    field = tab.get_by_label("Phantom")
    for said in ("oblique 0", "RAS 0"):
        field.fill(said)
        field.press("Enter")
        expect(tab.get_by_text(f"{said} is shown")).to_be_visible()
        script_over(tab)
    wait_for_maps(tab)
    assert held
    tab.close()


def test_a_viewer_that_is_gone_asks_for_nothing_more(browser, address):
    tab = browser.new_page()
    tab.clock.install()
    held, asked = [], Counter()
    tab.on("request", lambda request: asked.update([request.url] if request.url.startswith(f"{address}/media/") else []))
    tab.route(f"{address}/media/*", lambda route: held.append(route))
    tab.goto(address)
    until(lambda: two_frames(tab) or len(held) == 7)
    tab.get_by_text("Hide").click()
    expect(tab.locator(".viewer")).to_have_count(0)
    tab.route(f"{address}/media/*", lambda route: route.fulfill(status=404))
    for route in held:
        route.fulfill(status=404)

    def later() -> int:
        """How often the rarest was asked for ten seconds later."""
        tab.clock.run_for(10_000)
        two_frames(tab)
        return min(asked.values())

    until(lambda: later() >= 3)  # as often as one viewer asks
    for _ in range(3):
        later()
    assert set(asked.values()) == {3}
    tab.close()
