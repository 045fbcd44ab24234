"""Figures of two groups of people, as the plain dictionaries that plotly draws."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np

from vaead_core.figures.curves import COLOURS, FRAME, panels

_JITTER = 0.16
_GAP = 0.08


def groups_figure(
    scores: dict[str, tuple[dict[str, float], dict[str, float]]], names: tuple[str, str], height: int = 300
) -> dict[str, Any]:
    """A panel a method: each one's score as a point in his group, with the group's median as a line.

    scores: by title, both groups' by person. names: of the groups.
    """  # fmt: skip
    data, axes, notes = [], {}, []
    for (title, groups), (number, domain) in zip(scores.items(), panels(len(scores), _GAP), strict=True):
        place = {"xaxis": f"x{number}", "yaxis": f"y{number}"}
        axes[f"xaxis{number}"] = FRAME | {
            "domain": domain, "range": [-0.5, 1.5], "tickvals": [0, 1], "ticktext": [_short(name) for name in names],
        }  # fmt: skip
        axes[f"yaxis{number}"] = FRAME | {"anchor": f"x{number}"}
        notes.append({
            "text": escape(title), "x": sum(domain) / 2, "y": 1.02, "xref": "paper", "yref": "paper", "showarrow": False,
            "yanchor": "bottom",
        })  # fmt: skip
        for at, group in enumerate(groups):
            data += [one | place for one in _group(group, at)]
    layout = {"height": height, "margin": {"l": 44, "r": 8, "t": 30, "b": 34}, "showlegend": False, "annotations": notes}
    return {"data": data, "layout": layout | axes}


def _group(group: dict[str, float], at: int) -> list[dict[str, Any]]:
    values = list(group.values())
    across = at + np.random.default_rng(len(values)).uniform(-_JITTER, _JITTER, len(values))
    points = {
        "x": across.tolist(), "y": values, "mode": "markers", "text": [escape(person) for person in group],
        "marker": {"color": COLOURS[at], "size": 7, "opacity": 0.75}, "hovertemplate": "%{text}: %{y:.4g}<extra></extra>",
    }  # fmt: skip
    median = float(np.median(values))
    line = {
        "x": [at - 0.3, at + 0.3], "y": [median, median], "mode": "lines", "line": {"color": COLOURS[at], "width": 2.5},
        "hovertemplate": "median %{y:.4g}<extra></extra>",
    }  # fmt: skip
    return [points, line]


def _short(name: str) -> str:
    return escape(name if len(name) <= 24 else f"{name[:23]}…")
