"""What explains a figure for slides: colours, lengths, the truth's outline."""

from __future__ import annotations

import numpy as np

from vaead_core.figures.rarity import TOP_RARITY
from vaead_core.figures.scan import TRUTH_COLOUR
from vaead_core.figures.sheet import Sheet
from vaead_core.figures.slide_layout import LINE
from vaead_core.figures.slide_map import SlideMap
from vaead_core.scans.volume import Array

LENGTHS_MM = (50, 20, 10, 5, 2, 1)
_BAR, _UNDER = 0.09, 0.13  # inches: height of a bar, and from its top to its figures
_MARK = 0.03  # inches that a threshold's mark stands out
_GREY = 0.23  # of a bar below the threshold, as in the viewer
_TICKS = {0: "all", 1: "1/10", 2: "1/100", 3: "1/1000"}


def map_legend(sheet: Sheet, left: float, top: float, width: float, shown: SlideMap, brain: Array) -> None:
    """A colour bar with unit and the threshold's mark, and how much of the brain lies above it."""
    rarities = np.linspace(-TOP_RARITY if shown.signed else 0, TOP_RARITY, 512)
    at = float(shown.rarity.of_values(np.array(shown.threshold)))
    colours = shown.of_rarities(rarities)
    colours[np.abs(rarities) <= at] = _GREY
    sheet.axes(left, top, width, _BAR).imshow(colours[None], aspect="auto")
    places = {rarity: (rarity - rarities[0]) / (TOP_RARITY - rarities[0]) for rarity in (at, -at, *_ticks(shown.signed))}
    for mark in {at, -at} if shown.signed else {at}:
        sheet.line(left + width * places[mark], top - _MARK, 0, _BAR + 2 * _MARK, linewidth=1.6)
    for rarity, said in _ticks(shown.signed).items():
        place = places[rarity]
        sheet.write(left + width * place, top + _UNDER, said, 6, {0.0: "left", 1.0: "right"}.get(place, "center"))
    sheet.write(left, top + _UNDER + 0.11, f"share of healthy voxels so {'far from 0' if shown.signed else 'high'}", 6)
    said = f"Above {'±' if shown.signed else ''}{shown.threshold:.3g} {shown.unit}:"
    sheet.write(left, top + _UNDER + 0.26, said, 6.5)
    sheet.write(left, top + _UNDER + 0.26 + LINE, shown.shares(brain), 8)


def _ticks(signed: bool) -> dict[int, str]:
    """Words by rarity."""
    if not signed:
        return _TICKS
    return {0: _TICKS[0], **{side * at: f"{'−' if side < 0 else ''}{_TICKS[at]}" for side in (-1, 1) for at in (1, 3)}}


def scale_bar(sheet: Sheet, left: float, top: float, inches_a_mm: float, room: float) -> None:
    """A length that takes at most half the room."""
    length_mm = next((one for one in LENGTHS_MM if one * inches_a_mm <= room / 2), LENGTHS_MM[-1])
    sheet.line(left, top, length_mm * inches_a_mm, linewidth=2, solid_capstyle="butt")
    sheet.write(left, top + 0.05, f"{length_mm // 10} cm" if length_mm >= 10 else f"{length_mm} mm", 7)


def truth_key(sheet: Sheet, left: float, top: float) -> None:
    """What the outline is; on dark, as it is drawn on a brain."""
    sheet.fill(left, top, 0.3, 0.14, "#3a3a3a")
    sheet.line(left + 0.04, top + 0.07, 0.22, color=TRUTH_COLOUR, linewidth=1.2)
    sheet.write(left + 0.37, top + 0.01, "truth", 7)
