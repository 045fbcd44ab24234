"""A figure of a scan and its maps for a slide or a paper, black or white, with all that its reader must know on it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vaead_core.figures.scan import grey_window, outlined, upright
from vaead_core.figures.sheet import Sheet
from vaead_core.figures.slide_layout import GAP, LINE, NAME_LINE, PLANES, STRIP, TITLE_LINE, Layout, Look
from vaead_core.figures.slide_legend import map_legend, scale_bar, truth_key
from vaead_core.figures.slide_map import SlideMap
from vaead_core.scans.volume import Array, Volume

DOTS_PER_INCH = 300
_LETTERS = {2: ("R", "L"), 1: ("R", "L"), 0: ("A", "P")}  # on the left and the right of a plane across an axis
_INKS = {"black": "white", "white": "black"}
_OPACITY = 0.75  # of a map over its scan, as in the viewer at first


def slide(scan: Volume, maps: Sequence[SlideMap], look: Look, truth: Array | None = None) -> Sheet:
    """Of one slice, the scan and its maps beside each other; of several, a row each, of the slices beside each other.

    Radiological: the patient's left is on the right; in a sagittal plane, front is on the left. truth: (I, J, K) bool.
    """
    names = ["Scan", *(one.title for one in maps)]
    layout = Layout.of(scan, look, names)
    sheet = Sheet(layout.width, layout.height, look.paper, _INKS[look.paper])
    for line, said in enumerate(layout.titles):
        sheet.write(layout.width / 2, GAP + line * TITLE_LINE, said, 12, "center")
    for line, said in enumerate(layout.foot, -len(layout.foot)):
        sheet.write(GAP, layout.height - GAP / 2 + line * LINE, said, 6.5)
    window = grey_window(scan)
    for image, shown in enumerate([None, *maps]):
        _explain(sheet, layout, image, scan, shown, truth)
        for at in range(len(look.slices)):
            _panel(sheet, layout, (image, at), scan, window, shown, look, truth)
    return sheet


def _explain(sheet: Sheet, layout: Layout, image: int, scan: Volume, shown: SlideMap | None, truth: Array | None) -> None:
    """An image's name, and its colours or, of the scan, lengths and the truth's outline."""
    left, top = layout.name(image)
    for line, said in enumerate(layout.names[image]):
        sheet.write(left, top + line * NAME_LINE, said, 9, weight="bold")
    left, top = layout.legend(image)
    if shown:
        map_legend(sheet, left, top, layout.across, shown, scan.mask)
        return
    scale_bar(sheet, left, top + 0.04, layout.inches_a_mm, layout.across)
    if truth is not None and truth.any():
        truth_key(sheet, left, top + 0.34)


def _panel(
    sheet: Sheet, layout: Layout, place: tuple[int, int], scan: Volume, window: tuple[float, float],
    shown: SlideMap | None, look: Look, truth: Array | None,
) -> None:  # fmt: skip
    """A slice, cropped to the brain, with its letters above it."""
    axis, index = PLANES[look.plane], look.slices[place[1]]
    cut = tuple(index if other == axis else side for other, side in enumerate(scan.box))
    left, top, width, height = layout.panel(*place)
    grey = np.clip((scan.tissue[cut] - window[0]) / max(window[1] - window[0], 1e-12), 0, 1)
    colours = np.where(scan.mask[cut], grey, float(look.paper == "white"))[..., None] * np.ones(3)
    if shown:
        values = shown.values[cut]
        above = shown.above(values)
        colours[above] = _OPACITY * shown.colours(values[above]) + (1 - _OPACITY) * colours[above]
    axes = sheet.axes(left, top, width, height)
    axes.imshow(upright(colours), interpolation="bilinear", aspect="auto")
    if truth is not None:
        outlined(axes, upright(truth[cut]))
    first, last = _LETTERS[axis]
    sheet.write(left, top - STRIP, first, 8)
    sheet.write(left + width, top - STRIP, last, 8, "right")
    sheet.write(left + width / 2, top - STRIP + 0.015, f"{look.plane} {index + 1}", 7, "center")
