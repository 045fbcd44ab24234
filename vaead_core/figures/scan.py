"""Pictures of a scan and its maps as PNG, for a talk or a report."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from vaead_core import scorers
from vaead_core.checkpoints.calibration import FULL_RATE
from vaead_core.pipeline.scoring import Scored
from vaead_core.scans.volume import Array, Volume

PANEL_INCHES = 3.0
DOTS_PER_INCH = 150
COLOURS = "inferno"
OPACITY = 0.8  # of a map over its scan
THRESHOLD_COLOUR = "#ff5d3b"


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


def middle_slices(scan: Volume, count: int) -> list[int]:
    """Axial slices evenly over the middle of the brain."""
    first, last = scan.box[2].start, scan.box[2].stop - 1
    return [round(first + (last - first) * (at + 1.5) / (count + 2)) for at in range(count)]


def grey_window(scan: Volume) -> tuple[float, float]:
    """The values of `scan.tissue` that are drawn black and white."""
    tissue = scan.tissue
    if not (tissue > 0).any():
        return 0.0, 1.0
    low, top = np.quantile(tissue[tissue > 0], [0.01, 0.99])
    return float(low), float(top)


def upright(plane: Array) -> Array:
    """(I, J), or (I, J, C) of colours, in RAS+ order as (J, I): front up, the patient's right on the left."""
    return np.swapaxes(plane, 0, 1)[::-1, ::-1]


def panels_png(scan: Volume, maps: list[ShownMap], slices: list[int], truth: Array | None = None) -> bytes:
    """Axial `slices` of `scan`, a row each, and of each map over it, a column each; cropped to the brain, black outside.

    Radiological: the patient's left is on the right. truth: (I, J, K) bool, drawn as an outline.
    """
    box, spacing_mm, tissue = scan.box[:2], scan.spacing_mm, scan.tissue
    width, height = ((side.stop - side.start) * step for side, step in zip(box, spacing_mm[:2], strict=True))
    columns = 1 + len(maps)
    rows_inches = len(slices) * PANEL_INCHES * height / width
    figure = Figure((columns * PANEL_INCHES, rows_inches + 0.9), facecolor="black", layout="constrained")
    axes = figure.subplots(len(slices), columns, squeeze=False)
    low, top = grey_window(scan)
    for row, k in zip(axes, slices, strict=True):
        grey = upright(tissue[*box, k])
        outline = None if truth is None else upright(truth[*box, k])
        for axis, shown in zip(row, [None, *maps], strict=True):
            axis.imshow(grey, "gray", vmin=low, vmax=top, aspect=spacing_mm[1] / spacing_mm[0])
            axis.set_axis_off()
            if shown is not None:
                values = upright(shown.values[*box, k])
                over = np.ma.masked_where(values <= shown.threshold, values)
                axis.imshow(over, COLOURS, vmin=0, vmax=shown.full, alpha=OPACITY, aspect=spacing_mm[1] / spacing_mm[0])
            if outline is not None and outline.any():
                axis.contour(outline, [0.5], colors="#7dffb0", linewidths=0.8)
            axis.text(0.01, 0.5, "R", color="white", fontsize=8, transform=axis.transAxes)
            axis.text(0.99, 0.5, "L", color="white", fontsize=8, ha="right", transform=axis.transAxes)
        row[0].text(0.01, 0.01, f"axial {k + 1}", color="white", fontsize=7, transform=row[0].transAxes)
    axes[0, 0].set_title("Scan", color="white", fontsize=10)
    for column, shown in enumerate(maps, 1):
        axes[0, column].set_title(shown.title, color="white", fontsize=10)
        _colour_bar(figure, axes[:, column], shown)
    return png(figure)


def _colour_bar(figure: Figure, axes: Array, shown: ShownMap) -> None:
    scale = ScalarMappable(Normalize(0, shown.full), COLOURS)
    bar = figure.colorbar(scale, ax=axes.tolist(), location="bottom", shrink=0.8, aspect=30, pad=0.02)
    bar.ax.axvline(shown.threshold, color=THRESHOLD_COLOUR, linewidth=2)
    bar.ax.tick_params(colors="white", labelsize=7)
    bar.set_label(f"{shown.unit}, shown above {shown.threshold:.3g}", color="white", fontsize=7)


def png(figure: Figure, dots_per_inch: float = DOTS_PER_INCH) -> bytes:
    """The same bytes for the same figure."""
    FigureCanvasAgg(figure)
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=dots_per_inch, metadata={"Software": None})
    return content.getvalue()
