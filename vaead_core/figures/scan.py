"""Pictures of a scan and its maps as PNG, for a report."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from vaead_core import scorers
from vaead_core.checkpoints.calibration import FULL_RATE
from vaead_core.figures.sheet import Sheet, png
from vaead_core.pipeline.scoring import Scored
from vaead_core.scans.volume import Array, Volume

PANEL_INCHES = 3.0
_GAP, _ABOVE, _BELOW = 0.06, 0.28, 0.5  # inches between panels, for titles, for colour bars
COLOURS = "inferno"
OPACITY = 0.8  # of a map over its scan
THRESHOLD_COLOUR = "#ff5d3b"
TRUTH_COLOUR = "#7dffb0"


@dataclass(frozen=True)
class ShownMap:
    """values: (I, J, K) abnormality on the scan's grid, drawn above `threshold`, in full colour from `full` on."""

    title: str
    unit: str
    values: Array
    threshold: float
    full: float

    @staticmethod
    def of(one: Scored, values: Array, threshold: float) -> ShownMap:
        """That of a method: what one in a thousand healthy voxels exceeds is in full colour."""
        kind = scorers.SCORERS[one.name]
        return ShownMap(kind.title, kind.unit, values, threshold, max(one.healthy.threshold(FULL_RATE), 1.2 * threshold))


def grey_window(scan: Volume) -> tuple[float, float]:
    """The values of `scan.tissue` that are drawn black and white."""
    tissue = scan.tissue
    if not (tissue > 0).any():
        return 0.0, 1.0
    low, top = np.quantile(tissue[tissue > 0], [0.01, 0.99])
    return float(low), float(top)


def upright(plane: Array) -> Array:
    """(I, J), or (I, J, C) of colours, in RAS+ order as (J, I): front up, the patient's right on the left.

    Of another plane, (I, K) or (J, K): the head up, the right, or the front, on the left.
    """
    return np.swapaxes(plane, 0, 1)[::-1, ::-1]


def panels_png(scan: Volume, maps: list[ShownMap], slices: list[int], truth: Array | None = None) -> bytes:
    """Axial `slices` of `scan`, a row each, and of each map over it, a column each; cropped to the brain, black outside.

    Radiological: the patient's left is on the right. truth: (I, J, K) bool, drawn as an outline.
    """
    sheet = panels_sheet(scan, maps, slices, truth)
    return png(sheet.figure)


def panels_sheet(scan: Volume, maps: list[ShownMap], slices: list[int], truth: Array | None = None) -> Sheet:
    """The same before it is a file."""
    across, up = ((side.stop - side.start) * step for side, step in zip(scan.box[:2], scan.spacing_mm[:2], strict=True))
    height = PANEL_INCHES * up / across
    columns, below = PANEL_INCHES + _GAP, _ABOVE + len(slices) * (height + _GAP)
    sheet = Sheet((1 + len(maps)) * columns, below + _BELOW, "black", "white")
    window = grey_window(scan)
    for column, shown in enumerate([None, *maps]):
        left = column * columns + _GAP / 2
        sheet.write(left + PANEL_INCHES / 2, 0.08, shown.title if shown else "Scan", 10, "center")
        for row, k in enumerate(slices):
            top = _ABOVE + row * (height + _GAP)
            _panel(sheet.axes(left, top, PANEL_INCHES, height), scan, shown, k, window, truth)
            sheet.write(left + 0.03, top + height / 2, "R", 8)
            sheet.write(left + PANEL_INCHES - 0.03, top + height / 2, "L", 8, "right")
            if shown is None:
                sheet.write(left + 0.03, top + height - 0.12, f"axial {k + 1}", 7)
        if shown:
            _colour_bar(sheet, left, below, shown)
    return sheet


def _panel(axis: Axes, scan: Volume, shown: ShownMap | None, k: int, window: tuple[float, float], truth: Array | None) -> None:
    """One slice, in the place that the axes have: its pixels are as long as they are wide there."""
    box = scan.box[:2]
    axis.imshow(upright(scan.tissue[*box, k]), "gray", vmin=window[0], vmax=window[1], aspect="auto")
    if shown is not None:
        values = upright(shown.values[*box, k])
        over = np.ma.masked_where(values <= shown.threshold, values)
        axis.imshow(over, COLOURS, vmin=0, vmax=shown.full, alpha=OPACITY, aspect="auto")
    if truth is not None:
        outlined(axis, upright(truth[*box, k]))


def outlined(axis: Axes, marked: Array) -> None:
    """Draws the outline of what is `marked`, (rows, columns) bool."""
    if marked.any():
        axis.contour(marked, [0.5], colors=TRUTH_COLOUR, linewidths=0.8)


def _colour_bar(sheet: Sheet, left: float, top: float, shown: ShownMap) -> None:
    width, inset = 0.8 * PANEL_INCHES, 0.1 * PANEL_INCHES
    axis = sheet.axes(left + inset, top, width, 0.09)
    axis.imshow(np.linspace(0, 1, 256)[None], COLOURS, aspect="auto", extent=(0, shown.full, 0, 1))
    axis.axvline(shown.threshold, color=THRESHOLD_COLOUR, linewidth=2)
    for value in (0.0, shown.full / 2, shown.full):
        sheet.write(left + inset + width * value / shown.full, top + 0.12, f"{value:.3g}", 7, "center")
    sheet.write(left + PANEL_INCHES / 2, top + 0.27, f"{shown.unit}, shown above {shown.threshold:.3g}", 7, "center")
