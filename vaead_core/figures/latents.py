"""Figures of latents as the plain dictionaries that plotly draws, and pictures of slices as they are seen: anterior above, the
patient's right on the left, black outside the brain."""

from __future__ import annotations

from typing import Any

import numpy as np

from vaead_core.figures.curves import GREY, GRID, LEGEND, POINT
from vaead_core.scans.volume import Array

SCAN = "#f4f1de"
NEGATIVE, POSITIVE = np.array([76, 155, 232]), np.array([255, 140, 60])
_AXIS = GRID | {"automargin": True}


def plane_figure(
    healthy: Array, values: Array, label: str, people: list[str], scan: Array, position: Array, chosen: int, share: Array
) -> dict[str, Any]:
    """Healthy latents (N, 2) coloured by `values` (N,), a scan's slices (M, 2) at positions (M,) as a line in their order.

    chosen: the scan's row that stands out. share: (2,) of the variance that each axis holds. Trace 1 is the scan.
    """
    colours = "Turbo" if label == "Subject" else "Viridis"
    bar = {"title": {"text": label, "side": "right"}, "thickness": 12, "outlinewidth": 0}
    dots = _points(healthy, "Healthy") | {
        "type": "scattergl", "showlegend": False, "text": people, "mode": "markers",
        "marker": {"size": 5, "opacity": 0.75, "color": values.tolist(), "colorscale": colours, "colorbar": bar},
        "hovertemplate": f"%{{text}}<br>{label.lower()} %{{marker.color:.0f}}<extra>healthy</extra>",
    }  # fmt: skip
    line = _points(scan, "This scan") | {
        "customdata": position.tolist(), "mode": "lines+markers", "line": {"color": SCAN, "width": 1},
        "marker": {"size": 7, "color": SCAN, "line": {"color": "black", "width": 1}},
        "selected": {"marker": {"opacity": 1}}, "unselected": {"marker": {"opacity": 1}},
        "hovertemplate": "slice %{customdata}<extra>this scan</extra>",
    }  # fmt: skip
    titles = [f"Component {number} ({part:.0%} of the variance)" for number, part in enumerate(share, 1)]
    return {
        "data": [dots, line, _chosen(scan[chosen])],
        "layout": _layout(430)
        | {"xaxis": _AXIS | {"title": {"text": titles[0]}}, "yaxis": _AXIS | {"title": {"text": titles[1]}}},
    }


def score_figure(
    healthy: Array, healthy_position: Array, scan: Array, position: Array, percentiles: Array, chosen: int, label: str
) -> dict[str, Any]:
    """Outlier scores against slice position: healthy ones (N,) as dots, a scan's (M,) as a line. Trace 1 is the scan.

    Healthy scores beyond the 99.5 % of them are cut off, unless the scan reaches as far.
    """
    low, high = np.quantile(healthy, [0.005, 0.995])
    low, high = min(low, scan.min()), max(high, scan.max())
    room = 0.05 * (high - low) or 1.0
    dots = _points(np.stack([healthy_position, healthy], 1), "Healthy") | {
        "type": "scattergl", "mode": "markers", "marker": {"size": 4, "opacity": 0.45, "color": GREY}, "hoverinfo": "skip",
    }  # fmt: skip
    line = _points(np.stack([position, scan], 1), "This scan") | {
        "customdata": percentiles.tolist(), "mode": "lines+markers", "line": {"color": SCAN, "width": 1.5},
        "marker": {"size": 5, "color": SCAN}, "selected": {"marker": {"opacity": 1}}, "unselected": {"marker": {"opacity": 1}},
        "hovertemplate": "slice %{x}: %{y:.3g}<br>percentile %{customdata:.0f}<extra>this scan</extra>",
    }  # fmt: skip
    axes = {
        "xaxis": _AXIS | {"title": {"text": "Slice position"}},
        "yaxis": _AXIS | {"title": {"text": label}, "range": [low - room, high + room]},
    }
    return {"data": [dots, line, _chosen(np.array([position[chosen], scan[chosen]]))], "layout": _layout(430) | axes}


def slice_picture(pixels: Array, mask: Array) -> Array:
    """(H, W) uint8 of a slice or a decoded image (H, W) in [-1, 1], turned as it is seen."""
    return (255 * np.where(mask, np.clip((pixels + 1) / 2, 0, 1), 0)).astype(np.uint8)[::-1, ::-1]


def change_picture(change: Array, mask: Array, most: float) -> Array:
    """(H, W, 3) uint8: a difference (H, W) turned as it is seen; black for none, orange for +`most`, blue for −`most`."""
    amount = np.where(mask, np.clip(change / most, -1, 1), 0)[::-1, ::-1, None]
    return np.where(amount > 0, amount * POSITIVE, -amount * NEGATIVE).astype(np.uint8)


def _points(points: Array, name: str) -> dict[str, Any]:
    return {"x": np.round(points[:, 0], 4).tolist(), "y": np.round(points[:, 1], 6).tolist(), "name": name}


def _chosen(point: Array) -> dict[str, Any]:
    ring = {"size": 15, "color": "rgba(0,0,0,0)", "line": {"color": POINT, "width": 2.5}}
    return _points(point[None], "Chosen") | {"mode": "markers", "marker": ring, "hoverinfo": "skip"}


def _layout(height: int) -> dict[str, Any]:
    return {"height": height, "margin": {"l": 55, "r": 10, "t": 30, "b": 45}, "legend": LEGEND, "hovermode": "closest"}
