"""Charts of recorded tables: heat maps, bars with intervals and chance, rows of example maps."""

from __future__ import annotations

import io
from pathlib import Path

import matplotlib as mpl

mpl.use("agg")

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from vaead_core.anomalies.toys.datasets import INTENSITIES
from vaead_core.computing.whole_file import write_whole
from vaead_core.experiments.report.method_table import size_by_intensity
from vaead_core.scans.volume import Array

BLUE, GREY, RED = "#2b6cb0", "#8a8f98", "#c53030"
DPI = 110
COLOURS = 256
INTENSITY_ORDER = tuple(INTENSITIES)


def heat_maps(rows: pd.DataFrame, title: str, path: Path) -> None:
    """AP by size and intensity on circles and random shapes, by combination on the others; colours from 0 to 1."""
    figure, axes = plt.subplots(1, 3, figsize=(12, 3.1), width_ratios=(5, 5, 3.4), layout="constrained")
    for axis, (name, grid) in zip(axes, size_by_intensity(rows).items(), strict=True):
        _grid(axis, grid, name)
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    _save(figure, path)


def table_map(grid: pd.DataFrame, title: str, path: Path) -> None:
    """One table of AP with its values in colour."""
    table_maps([(title, grid)], path)


def table_maps(grids: list[tuple[str, pd.DataFrame]], path: Path) -> None:
    """Tables of AP, two beside each other, with their values in colour."""
    columns = min(2, len(grids))
    lines = -(-len(grids) // columns)
    height = 0.3 * max(len(grid) for _, grid in grids) + 1.3
    figure, axes = plt.subplots(lines, columns, figsize=(13, lines * height), squeeze=False, layout="constrained")
    for axis, (title, grid) in zip(axes.flat, grids, strict=False):
        _grid(axis, grid, title, tilt=35)
    for axis in axes.flat[len(grids) :]:
        axis.set_axis_off()
    _save(figure, path)


def bars(rows: pd.DataFrame, labels: list[str], title: str, path: Path, chance: Array, marks: Array | None = None) -> None:
    """One bar a row (ap with its interval), a dotted line at its chance level, a red mark at the thesis's number."""
    figure, axis = plt.subplots(figsize=(8.0, 0.23 * len(rows) + 1.3), layout="constrained")
    at = np.arange(len(rows))
    ap = rows["ap"].to_numpy()
    error = np.clip(np.stack([ap - rows["ap_low"], rows["ap_high"] - ap]), 0, None)
    axis.barh(at, ap, color=BLUE, height=0.7)
    axis.errorbar(ap, at, xerr=np.nan_to_num(error), fmt="none", ecolor="black", elinewidth=1, capsize=2)
    axis.vlines(chance, at - 0.45, at + 0.45, colors=GREY, linestyles="dotted", label="chance (prevalence)")
    if marks is not None:
        axis.scatter(marks, at, color=RED, marker="D", s=22, zorder=3, label="thesis")
    axis.set_yticks(at, labels, fontsize=8)
    axis.set_xlim(0, 1.02)
    axis.set_ylim(-0.7, len(rows) - 0.3)
    axis.set_xlabel("average precision", fontsize=8)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(fontsize=8, loc="lower right")
    axis.set_title(title, loc="left", fontsize=10)
    _save(figure, path)


def dots(series: dict[str, pd.DataFrame], labels: list[str], title: str, path: Path) -> None:
    """A line a label, a dot a series (value with its interval low to high); linear below 1, logarithmic above."""
    figure, axis = plt.subplots(figsize=(8.0, 0.3 * len(labels) + 1.3), layout="constrained")
    for shift, (name, rows), colour in zip((-0.12, 0.12), series.items(), (BLUE, RED), strict=True):
        value = rows["value"].to_numpy()
        error = np.nan_to_num(np.clip(np.stack([value - rows["low"], rows["high"] - value]), 0, None))
        axis.errorbar(value, np.arange(len(rows)) + shift, xerr=error, fmt="o", color=colour, capsize=2, markersize=4, label=name)
    axis.set_yticks(range(len(labels)), labels, fontsize=8)
    axis.set_xscale("symlog", linthresh=1)
    axis.set_xlim(left=0)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(fontsize=8)
    axis.set_title(title, loc="left", fontsize=10)
    _save(figure, path)


def calibration(curves: dict[str, pd.DataFrame], allowed: tuple[float, float, float], path: Path) -> None:
    """Marked share (value with its interval) against `threshold`, a line a name. allowed: a threshold and what it may mark."""
    figure, axis = plt.subplots(figsize=(8.0, 5.0), layout="constrained")
    ends = (min(rows["threshold"].min() for rows in curves.values()), max(rows["threshold"].max() for rows in curves.values()))
    axis.plot(ends, ends, color=GREY, linestyle="dotted")
    axis.vlines(allowed[0], *allowed[1:], colors=GREY, linewidth=12, alpha=0.4)
    for number, (name, rows) in enumerate(sorted(curves.items())):
        colour = mpl.colormaps["tab20"](number % 20)
        axis.plot(rows["threshold"], rows["value"], marker=".", color=colour, label=name)
    axis.set(xscale="log", yscale="log", xlabel="healthy validation voxels above the threshold, share")
    axis.set_ylabel("healthy test voxels above it, share")
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(fontsize=7, ncols=1, loc="center left", bbox_to_anchor=(1, 0.5))
    _save(figure, path)


def image_rows(rows: list[list[Array]], titles: list[str], path: Path) -> None:
    """Rows of RGB pictures (H, W, 3) under column titles, on black."""
    size = (1.75 * len(titles), 1.8 * len(rows) + 0.2)
    figure, axes = plt.subplots(len(rows), len(titles), figsize=size, squeeze=False, layout="constrained", facecolor="black")
    for line, pictures in zip(axes, rows, strict=True):
        for axis, picture in zip(line, pictures, strict=True):
            axis.imshow(picture)
            axis.set_axis_off()
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title, fontsize=8, color="white")
    _save(figure, path)


def _grid(axis: plt.Axes, grid: pd.DataFrame, title: str, tilt: float = 0) -> None:
    axis.imshow(grid.to_numpy(), cmap="viridis", vmin=0, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(grid.to_numpy()):
        if np.isfinite(value):
            colour = "white" if value < 0.6 else "black"
            axis.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=8, color=colour)
    axis.set_xticks(range(grid.shape[1]), grid.columns, fontsize=8, rotation=tilt, ha="right" if tilt else "center")
    axis.set_yticks(range(len(grid)), grid.index, fontsize=8)
    axis.set_title(title, fontsize=9)


def _save(figure: plt.Figure, path: Path) -> None:
    """As a PNG with a palette: a third of its size in 24 bits, and no difference to see."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.set_dpi(DPI)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    picture = Image.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba())
    content = io.BytesIO()
    picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(content, "PNG", optimize=True, dpi=(DPI, DPI))
    write_whole(path, content.getvalue())
    plt.close(figure)
