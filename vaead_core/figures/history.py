"""Curves of training, as the plain dictionaries that plotly draws."""

from __future__ import annotations

import math
from typing import Any

from vaead_core.checkpoints.summary import History
from vaead_core.figures.curves import COLOURS, GRID, LEGEND, panels

PANELS = {"loss": "Loss", "error": "Error", "kl": "KL, nats"}
GAP = 0.08  # of the figure's width, between two panels
_TITLE = {"xref": "paper", "yref": "paper", "xanchor": "center", "yanchor": "bottom", "y": 1.01, "showarrow": False}
_AXIS = GRID | {"fixedrange": True}
# before a column's name; training has no prefix
_PARTS: dict[str, dict[str, Any]] = {"validation_": {"width": 2}, "": {"width": 1.5, "dash": "dot"}}


def history_figure(histories: dict[str, History], height: int = 290) -> dict[str, Any]:
    """Loss, error and KL by epoch, a panel each: by name, validation as a line and training as dots of its colour."""
    axes: dict[str, Any] = {}
    traces, titles = [], []
    for (column, title), (number, domain) in zip(PANELS.items(), panels(len(PANELS), GAP), strict=True):
        titles.append(_TITLE | {"text": title, "x": sum(domain) / 2})
        axes[f"xaxis{number}"] = _AXIS | {"domain": domain, "title": {"text": "Epoch"}, "anchor": f"y{number}"}
        axes[f"yaxis{number}"] = _AXIS | {"anchor": f"x{number}"}
        for (name, history), colour in zip(histories.items(), COLOURS, strict=False):
            traces += [
                _line(name, history["epoch"], history[part + column]) | {
                    "line": line | {"color": colour}, "xaxis": f"x{number}", "yaxis": f"y{number}",
                    "showlegend": number == "" and part != "",
                }
                for part, line in _PARTS.items() if part + column in history
            ]  # fmt: skip
    legend = LEGEND | {"y": 1.16}
    layout = {"height": height, "margin": {"l": 44, "r": 8, "t": 70, "b": 40}, "legend": legend, "hovermode": "closest"}
    return {"data": traces, "layout": layout | axes | {"annotations": titles}}


def _line(name: str, epochs: list[float], values: list[float]) -> dict[str, Any]:
    return {
        "x": epochs, "y": [value if math.isfinite(value) else None for value in values], "name": name, "legendgroup": name,
        "mode": "lines+markers" if len(values) == 1 else "lines", "hovertemplate": "epoch %{x}: %{y:.4g}<extra></extra>",
    }  # fmt: skip
