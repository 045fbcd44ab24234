"""Figures of recorded tables as the plain dictionaries that plotly draws, and images ranked by their score as one picture."""

from __future__ import annotations

from html import escape
from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd

from vaead_core.experiments.report.tables import Number
from vaead_core.experiments.report.thesis_comparison import Beside
from vaead_core.experiments.report.winners import Winner, axes
from vaead_core.figures.curves import COLOURS, GREY, GRID, LEGEND, SHARES_SCALE
from vaead_core.scans.volume import Array

BLUE, ORANGE = COLOURS[:2]
FRAME, GAP = 2, 6  # pixels about an image and between two, in a picture of ranked images
NORMAL, ABNORMAL = np.array([76, 155, 232], np.uint8), np.array([255, 140, 60], np.uint8)
_LINE_HEIGHT = 22
_WINNER_HEIGHT = 112
_LETTERS_A_LINE, _LETTERS_A_CELL = 80, 32  # of its cells side by side, in a window of 1024; of one of few
_SHARE = GRID | {"range": [0, 1.02], "title": {"text": "Average precision"}}
_NAMES = {"automargin": True, "autorange": "reversed", "type": "category"}


def methods_figure(table: pd.DataFrame, most: int = 25) -> dict[str, Any]:
    """AP of the first methods of a table (`method_table.methods`) with 95 % intervals, beside their chance level."""
    shown = table.head(most)
    names = [", ".join(str(part) for part in row) for row in shown[[c for c in ("Method", "Model") if c in shown]].to_numpy()]
    missing = pd.Series(np.nan, shown.index)
    low, high = (shown.get(f"{edge} %", missing) for edge in ("2.5", "97.5"))
    found = [Number(*row) for row in zip(shown["AP"], low, high, shown["Chance"], strict=True)]
    return _figure([_dots(found, names, "AP, 95 % interval", BLUE), _chance(found, names)], len(names))


def beside_figure(pairs: list[Beside]) -> dict[str, Any]:
    """The thesis's numbers beside ours with 95 % intervals and chance."""
    names = [f"{one.data}: {one.name}" + (", detection" if one.claim.task == "detection" else "") for one in pairs]
    theirs = {
        "x": [one.claim.value for one in pairs], "y": names, "name": "Thesis", "mode": "markers",
        "marker": {"symbol": "diamond", "size": 9, "color": ORANGE}, "hovertemplate": "%{y}<br>thesis %{x:.3f}<extra></extra>",
    }  # fmt: skip
    ours = [one.ours for one in pairs]
    return _figure([_dots(ours, names, "Ours, 95 % interval", BLUE), theirs, _chance(ours, names)], len(names))


def grid_figure(grid: pd.DataFrame, height: int | None = None) -> dict[str, Any]:
    """AP from 0 to 1 in colour and digits, for instance size by intensity."""
    values = grid.to_numpy(float)
    shown = [[None if np.isnan(value) else round(float(value), 4) for value in row] for row in values]
    text = [["" if np.isnan(value) else f"{value:.2f}" for value in row] for row in values]
    columns, rows = ([str(name) for name in names] for names in (grid.columns, grid.index))
    cells = {
        "type": "heatmap", "z": shown, "x": columns, "y": rows,
        "zmin": 0, "zmax": 1, "colorscale": "Viridis", "showscale": False, "text": text, "texttemplate": "%{text}", "xgap": 1,
        "ygap": 1, "hovertemplate": "%{y}, %{x}<br>AP %{z:.3f}<extra></extra>",
    }  # fmt: skip
    return {"data": [cells], "layout": _of_cells(height or 90 + _LINE_HEIGHT * len(grid))}


def winners_figure(found: list[Winner]) -> dict[str, Any]:
    """The map that each cell's anomaly is best looked for with: its AP in colour, with interval and chance in digits."""
    lines, columns = axes(found)
    cells = {(one.line, one.column): one for one in found}
    grid = [[cells.get((line, column)) for column in columns] for line in lines]
    letters = min(_LETTERS_A_LINE // max(len(columns), 1), _LETTERS_A_CELL)
    drawn = {
        "type": "heatmap", "x": columns, "y": ["<br>".join(wrap(line, 15)) for line in lines],
        "zmin": 0, "zmax": 1, "colorscale": SHARES_SCALE, "showscale": False,
        "xgap": 2, "ygap": 2, "z": [[one and round(one.found.ap, 4) for one in line] for line in grid],
        "text": [["" if one is None else _won(one, letters) for one in line] for line in grid],
        "texttemplate": "%{text}", "textfont": {"size": 12, "color": "white"},
        "hovertext": [["" if one is None else _told(one) for one in line] for line in grid],
        "hovertemplate": "%{hovertext}<extra></extra>", "hoverongaps": False,
    }  # fmt: skip
    return {"data": [drawn], "layout": _of_cells(50 + _WINNER_HEIGHT * len(lines))}


def _of_cells(height: int) -> dict[str, Any]:
    """The layout of a figure that is a grid of cells."""
    return {
        "height": height, "margin": {"l": 10, "r": 10, "t": 10, "b": 30},
        "xaxis": {"type": "category", "automargin": True, "showgrid": False}, "yaxis": _NAMES | {"showgrid": False},
    }  # fmt: skip


def _won(one: Winner, letters: int) -> str:
    name = "<br>".join(wrap(escape(one.method if one.above_chance else "none above chance"), letters))
    interval = "" if pd.isna(one.found.low) else f"<br>{one.found.low:.2f}–{one.found.high:.2f}"
    return f"{name}<br><b>{one.found.ap:.2f}</b>{interval}<br>chance {one.found.chance:.3f}"


def _told(one: Winner) -> str:
    said = f"{one.line}, {one.column}<br><b>{escape(one.method)}</b> {one.found}<br>chance {one.found.chance:.4f}"
    return "<br>".join([said, "best others on test:", *map(escape, one.others)])


def ranked_picture(images: Array, abnormal: Array, columns: int = 10) -> Array:
    """(H, W, 3) uint8: pictures (n, h, w) uint8 in reading order, each framed in orange where `abnormal` (n,), else in blue."""
    count, height, width = images.shape
    rows = -(-count // columns)
    step = height + 2 * FRAME + GAP, width + 2 * FRAME + GAP
    sheet = np.zeros((rows * step[0] - GAP, columns * step[1] - GAP, 3), np.uint8)
    for at, (image, odd) in enumerate(zip(images, abnormal, strict=True)):
        top, left = (at // columns) * step[0], (at % columns) * step[1]
        framed = np.full((height + 2 * FRAME, width + 2 * FRAME, 3), ABNORMAL if odd else NORMAL)
        framed[FRAME:-FRAME, FRAME:-FRAME] = image[..., None]
        sheet[top : top + framed.shape[0], left : left + framed.shape[1]] = framed
    return sheet.repeat(3, 0).repeat(3, 1)


def _dots(found: list[Number], names: list[str], title: str, colour: str) -> dict[str, Any]:
    ap = np.array([one.ap for one in found])
    reach = np.nan_to_num([[one.high - one.ap, one.ap - one.low] for one in found]).clip(0).T
    return {
        "x": ap.tolist(), "y": names, "name": title, "mode": "markers", "marker": {"size": 9, "color": colour},
        "error_x": {"type": "data", "symmetric": False, "array": reach[0].tolist(), "arrayminus": reach[1].tolist(),
                    "thickness": 1.5, "width": 4, "color": colour},
        "text": [str(one) for one in found], "hovertemplate": "%{y}<br>AP %{text}<extra></extra>",
    }  # fmt: skip


def _chance(found: list[Number], names: list[str]) -> dict[str, Any]:
    mark = {"symbol": "line-ns-open", "size": 12, "color": GREY, "line": {"width": 2, "color": GREY}}
    return {
        "x": [one.chance for one in found], "y": names, "name": "Chance (prevalence)", "mode": "markers", "marker": mark,
        "hovertemplate": "%{y}<br>chance %{x:.3f}<extra></extra>",
    }  # fmt: skip


def _figure(data: list[dict[str, Any]], lines: int) -> dict[str, Any]:
    layout = {
        "height": 110 + _LINE_HEIGHT * lines, "margin": {"l": 10, "r": 10, "t": 40, "b": 45}, "legend": LEGEND | {"y": 1},
        "xaxis": _SHARE, "yaxis": _NAMES | {"gridcolor": GRID["gridcolor"]}, "hovermode": "closest",
    }  # fmt: skip
    return {"data": data, "layout": layout}
