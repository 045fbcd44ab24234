"""The figure for a talk or a paper: where things lie on it, what it says, and its two files."""

import io
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from tests.support.svg import svg_texts
from vaead_core.figures.rarity import Rarity
from vaead_core.figures.scan import ShownMap, panels_sheet
from vaead_core.figures.sheet import Sheet, png, svg
from vaead_core.figures.slide_layout import PLANES, Look
from vaead_core.figures.slide_map import _DIVERGING, SlideMap
from vaead_core.figures.slides import DOTS_PER_INCH, slide
from vaead_core.scans.volume import Volume

ROOT = Path(__file__).resolve().parents[1]
MADE_BY = "vaead 1, checkpoint tiny, research use only, not for diagnosis"
SHAPE, SPACING = (40, 50, 30), (2.0, 2.0, 3.0)


@pytest.fixture(scope="module")
def scan() -> Volume:
    """A block of even grey, which is bright on the patient's right, in front and on top."""
    data = np.zeros(SHAPE, np.float32)
    data[5:35, 5:45, 5:25] = 50
    data[20:35, 25:45, 15:25] = 100
    return Volume(data, np.diag([*SPACING, 1.0]))


@pytest.fixture(scope="module")
def maps() -> list[SlideMap]:
    """One that marks a corner on the right in front on top, and a signed one that is below 0 there."""
    values = np.zeros(SHAPE, np.float32)
    values[28:34, 36:44, 18:24] = 8
    rarity = Rarity(np.linspace(0, 10, 301))
    return [
        SlideMap("Distance with a long name of its own", "deviations", values, 4.0, rarity),
        SlideMap("Signed", "intensity", -values, 4.0, rarity, signed=True),
    ]


def look(*slices: int, **more) -> Look:
    return Look(slices or (20,), MADE_BY, **more)


def pixels(sheet: Sheet) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png(sheet.figure))).convert("RGB")).astype(int)


def places(sheet: Sheet) -> list[tuple[float, float, float, float]]:
    """Left, bottom, width and height in inches of what has the height of a panel, once all is drawn."""
    png(sheet.figure)
    boxes = [axis.get_window_extent().bounds for axis in sheet.figure.axes]
    found = [tuple(np.round(np.array(box) / sheet.figure.dpi, 6)) for box in boxes]
    return [box for box in found if box[3] > 0.5]


def panel(sheet: Sheet, number: int) -> np.ndarray:
    """Its pixels."""
    left, bottom, width, height = places(sheet)[number]
    drawn, dots = pixels(sheet), 150
    rows = slice(round((sheet.height - bottom - height) * dots), round((sheet.height - bottom) * dots))
    return drawn[rows, round(left * dots) : round((left + width) * dots)]


def coloured(part: np.ndarray) -> np.ndarray:
    """Middle (down, across) of what is no grey, as shares of the part."""
    return np.argwhere(np.ptp(part, axis=2) > 60).mean(0) / part.shape[:2]


@pytest.mark.parametrize("plane", PLANES)
def test_the_scan_and_its_maps_lie_at_one_height_and_are_of_one_size(scan, maps, plane):
    boxes = places(slide(scan, maps, look(plane=plane), scan.data > 90))
    assert len(boxes) == 3
    assert {box[1:] for box in boxes} == {boxes[0][1:]}
    steps = np.diff([box[0] for box in boxes])
    assert steps[0] == pytest.approx(steps[1])
    across, up = (40 * 2, 20 * 3) if plane == "sagittal" else (30 * 2, 20 * 3) if plane == "coronal" else (30 * 2, 40 * 2)
    assert boxes[0][2] / boxes[0][3] == pytest.approx(across / up, rel=1e-4), "a millimetre is as long as it is wide"


def test_several_slices_are_columns_and_images_rows(scan, maps):
    boxes = places(slide(scan, maps, look(8, 12, 16, 18, 20), scan.data > 90))
    assert len(boxes) == 15
    assert [len({box[at] for box in boxes}) for at in (0, 1, 2, 3)] == [5, 3, 1, 1]


def test_the_panels_of_a_reports_picture_lie_at_one_height(scan):
    shown = [ShownMap("M", "unit", scan.data, 60, 100), ShownMap("N", "", scan.data, 60, 100)]
    boxes = places(panels_sheet(scan, shown, [8, 20], scan.data > 90))
    assert len(boxes) == 6
    assert [len({box[at] for box in boxes}) for at in (0, 1, 2, 3)] == [3, 2, 1, 1]
    assert {box[1] for box in boxes[:2]} == {box[1] for box in boxes[2:4]}


def test_an_outline_moves_no_pixel_of_a_panel(scan, maps):
    truth = np.zeros(SHAPE, bool)
    truth[5:20, 5:20, 20] = True
    with_truth, without = (slide(scan, maps, look(), one) for one in (truth, None))
    limits = [[(axis.get_xlim(), axis.get_ylim()) for axis in sheet.figure.axes] for sheet in (with_truth, without)]
    assert limits[0] == limits[1]
    green = [np.argwhere(panel(with_truth, number)[..., 1] > panel(with_truth, number)[..., 0] + 60) for number in range(3)]
    assert all(len(one) > 50 for one in green), "on every panel"


@pytest.mark.parametrize(
    ("plane", "index", "letters", "down", "across"),
    [("axial", 20, "RL", 0.12, 0.13), ("coronal", 40, "RL", 0.2, 0.13), ("sagittal", 30, "AP", 0.2, 0.12)],
)
def test_right_front_and_top_are_where_radiologists_have_them_and_are_marked(scan, maps, plane, index, letters, down, across):
    sheet = slide(scan, maps, look(index, plane=plane))
    for number in (1, 2):
        assert coloured(panel(sheet, number)) == pytest.approx((down, across), abs=0.03)
    bright = np.argwhere(panel(sheet, 0).mean(2) > 200).mean(0) / panel(sheet, 0).shape[:2]
    assert (bright < 0.5).all()
    placed = {one.get_text(): one.get_position()[0] for one in sheet.figure.texts if one.get_text() in "RLAP"}
    assert placed.keys() == set(letters)
    assert placed[letters[0]] < placed[letters[1]]


@pytest.mark.parametrize(("paper", "value"), [("black", 0), ("white", 255)])
def test_corners_and_what_is_outside_the_brain_have_the_colour_that_was_chosen(scan, maps, paper, value):
    hollow = replace(scan, data=scan.data.copy())
    hollow.data[5:12, 5:12] = 0
    sheet = slide(hollow, maps, look(20, paper=paper), None)
    drawn = pixels(sheet)
    for corner in (drawn[0, 0], drawn[0, -1], drawn[-1, 0], drawn[-1, -1], panel(sheet, 0)[-3, -3]):
        assert corner.tolist() == [value] * 3
    assert (drawn == 255 - value).all(2).any(), "letters"


def test_a_map_that_marks_nothing_is_the_scan(scan, maps):
    silent = [replace(one, threshold=100.0) for one in maps]
    sheet = slide(scan, silent, look())
    assert (panel(sheet, 0) == panel(sheet, 1)).all()
    assert (panel(sheet, 0) == panel(sheet, 2)).all()


def test_every_map_says_its_method_its_threshold_and_how_much_is_marked(scan, maps):
    said = svg_texts(svg(slide(scan, maps, look(8, 20), scan.data > 90).figure, DOTS_PER_INCH))
    share = 100 * (maps[0].values > 4).sum() / scan.mask.sum()
    assert said.count(f"here {share:.1f} %, healthy {100 * 10**-1.2:.1f} %") == 2
    assert {
        "Scan",
        "Signed",
        "Above 4 deviations:",
        "Above ±4 intensity:",
        "truth",
        "2 cm",
        "axial 9",
        "axial 21",
        MADE_BY,
    } <= set(said)
    assert "Distance with a long name of its own" in " ".join(said)
    assert {"all", "1/10", "1/100", "1/1000", "−1/1000"} <= set(said)


def test_a_scale_bar_is_as_long_as_it_says(scan, maps):
    sheet = slide(scan, maps, look())
    [bar] = [one for one in sheet.figure.artists if getattr(one, "get_linewidth", lambda: 0)() == 2 and hasattr(one, "get_xdata")]
    inches = np.ptp(bar.get_xdata()) * sheet.width
    assert inches / places(sheet)[0][2] == pytest.approx(20 / 60), "2 cm of a brain of 6"


@pytest.mark.shows(38)
def test_a_png_has_300_dots_an_inch(scan, maps):
    sheet = slide(scan, maps, look())
    with Image.open(io.BytesIO(png(sheet.figure, DOTS_PER_INCH))) as picture:
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        assert picture.size == pytest.approx((300 * sheet.width, 300 * sheet.height), abs=1)


@pytest.mark.shows(38)
def test_an_svg_is_xml_without_a_script_or_an_outside_address_and_the_same_each_time(scan, maps):
    content = [svg(slide(scan, maps, look(8, 20, title="One"), scan.data > 90).figure, DOTS_PER_INCH) for _ in range(2)]
    assert content[0] == content[1]
    root = ElementTree.fromstring(content[0])
    assert not [one.tag for one in root.iter() if one.tag.split("}")[-1] in {"script", "foreignObject", "metadata", "a"}]
    links = [value for one in root.iter() for name, value in one.attrib.items() if name.endswith("href") or "url(" in value]
    assert links
    assert all(value.startswith(("data:image/png;base64,", "#", "url(#")) or "url(#" in value for value in links)
    addresses = set(re.findall(rb"\w+://[^\"'\s<>]*", re.sub(rb"base64,[^\"]*", b"", content[0])))
    assert addresses == {b"http://www.w3.org/2000/svg", b"http://www.w3.org/1999/xlink"}, "names of XML's, which nobody opens"
    assert b"<!DOCTYPE" not in content[0]


@pytest.mark.parametrize("title", ["$x$ <script>alert(1)</script>", r"$\frac{1}{0}$ & -- ]]> 5 $", "a\x00b\x1b", "%d {} \\alpha"])
def test_a_title_comes_out_letter_by_letter(scan, maps, title):
    sheet = slide(scan, maps, look(title=title))
    content = svg(sheet.figure, DOTS_PER_INCH)
    assert svg_texts(content)[0] == re.sub("[\x00\x1b]", " ", title)
    assert b"<script" not in content.lower()
    assert not any(text.get_parse_math() for text in sheet.figure.texts)
    assert pixels(sheet).any()


def test_no_title_takes_no_room_and_a_long_one_stays_on_the_figure(scan, maps):
    none, one, long = (slide(scan, maps, look(title=title)) for title in ("", "One", "word " * 24))
    assert none.height < one.height < long.height
    png(long.figure)
    for text in long.figure.texts:
        box = text.get_window_extent()
        assert 0 <= box.x0 < box.x1 <= long.width * long.figure.dpi, text.get_text()


def test_signed_maps_have_the_viewers_colours():
    source = (ROOT / "pages" / "shared" / "viewer" / "js" / "colours.js").read_text()
    [stops] = re.findall(r"const DIVERGING = \[(.*?)\n\];", source, re.DOTALL)
    assert np.array([float(one) for one in re.findall(r"[\d.]+", stops)]).reshape(-1, 3) == pytest.approx(np.array(_DIVERGING))


def test_rarity_is_what_healthy_brains_say(tiny_checkpoint):
    healthy = tiny_checkpoint.calibration["residual"]
    rarity = Rarity.of(healthy)
    for rate in (0.5, 0.05, 0.01):
        assert 10 ** -rarity.of_values(np.array(healthy.threshold(rate))) == pytest.approx(rate, rel=0.02)
    assert rarity.said(healthy.threshold(0.05)) == "5.0 %"


def test_the_page_is_opened_without_matplotlib():
    code = "import sys, pages.shared.explore.panels; print('matplotlib' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.split()[-1] == "False"
