"""Figures of one scan's scores, as the plain dictionaries that plotly draws."""

from __future__ import annotations

from typing import Any

import numpy as np

from vaead_core.figures.curves import COLOURS, FRAME, GREY, LEGEND, POINT
from vaead_core.scans.volume import Array

BINS = 80


def strip_figure(
    percentiles: dict[str, Array], position: Array, here: int, alarm: float = 95, height: int = 170
) -> dict[str, Any]:
    """Percentile (N,) of each slice by title, along the slices' position on the atlas; `here` is marked.

    A point's `customdata` is its row. Slices above `alarm` percent of healthy ones lie above the dotted line.
    """
    rows = list(range(len(position)))
    lines = [
        {
            "x": position.tolist(), "y": values.tolist(), "customdata": rows, "name": title, "mode": "lines+markers",
            "line": {"color": colour, "width": 1.5}, "marker": {"size": 5}, "unselected": {"marker": {"opacity": 1}},
            "hovertemplate": "slice %{x}: percentile %{y:.0f}",
        }
        for (title, values), colour in zip(percentiles.items(), COLOURS, strict=False)
    ]  # fmt: skip
    at = int(position[here])
    layout = {
        "height": height, "margin": {"l": 48, "r": 8, "t": 6, "b": 38}, "hovermode": "x unified",
        "legend": LEGEND,
        "xaxis": FRAME | {"title": {"text": "Axial slice of the atlas, feet to head"}},
        "yaxis": FRAME | {"range": [-4, 104], "title": {"text": "Percentile"}},
        "shapes": [
            {"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "paper", "line": {"color": POINT, "width": 1.5}},
            {"type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": alarm, "y1": alarm, "line": {"color": GREY, "dash": "dot"}},
        ],
    }  # fmt: skip
    return {"data": lines, "layout": layout}


def histogram_figure(
    values: Array, healthy: Array, threshold: float, unit: str, truth: Array | None = None, height: int = 220
) -> dict[str, Any]:
    """Shares of brain voxels by abnormality `values` (n,), beside healthy brains', with the threshold's line.

    healthy: quantiles of healthy voxels at even steps. truth: (n,) bool; anomalous voxels then have bars of their own.
    """
    high = float(max(np.quantile(values, 0.999), threshold, healthy[-2]))
    low = float(min(np.quantile(values, 0.001), healthy[1]))
    edges = np.linspace(low, high, BINS + 1)
    middles = ((edges[1:] + edges[:-1]) / 2).tolist()
    below = np.interp(edges, healthy, np.linspace(0, 1, len(healthy)))
    below[0], below[-1] = 0, 1  # the end bins hold what lies beyond them
    parts = {"This scan": (values, COLOURS[0])}
    if truth is not None and truth.any():
        parts = {"Normal voxels": (values[~truth], COLOURS[0]), "Anomalous voxels (truth)": (values[truth], COLOURS[1])}
    bars = [
        {
            "type": "bar", "x": middles, "y": _shares(part, edges).tolist(), "name": name, "opacity": 0.65,
            "marker": {"color": colour, "line": {"width": 0}}, "width": (high - low) / BINS,
        }
        for name, (part, colour) in parts.items()
    ]  # fmt: skip
    line = {"x": middles, "y": (100 * np.diff(below)).tolist(), "name": "Healthy brains", "mode": "lines"}
    layout = {
        "height": height, "margin": {"l": 48, "r": 8, "t": 6, "b": 40}, "barmode": "overlay", "bargap": 0,
        "legend": LEGEND,
        "xaxis": FRAME | {"title": {"text": unit}}, "yaxis": FRAME | {"title": {"text": "% of voxels"}},
        "shapes": [
            {
                "type": "line", "x0": threshold, "x1": threshold, "y0": 0, "y1": 1, "yref": "paper",
                "line": {"color": POINT, "width": 1.5},
            }
        ],
    }  # fmt: skip
    return {"data": [*bars, line | {"line": {"color": GREY, "width": 2}}], "layout": layout}


def _shares(values: Array, edges: Array) -> Array:
    """Percent of `values` in each bin; what lies beyond the ends counts in the end bins."""
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
    return 100 * counts / max(1, len(values))
