"""Curves of training, as the plain dictionaries that plotly draws."""

from __future__ import annotations

import math
from typing import Any

from vaead_core.checkpoint_facts import History
from vaead_core.curve_figures import COLOURS

PANELS = {"loss": "Loss", "error": "Error", "kl": "KL, nats"}
GAP = 0.08  # of the figure's width, between two panels
_TITLE: dict[str, Any] = {
    "xref": "paper",
    "yref": "paper",
    "xanchor": "center",
    "yanchor": "bottom",
    "y": 1.01,
    "showarrow": False,
}
_LEGEND = {"orientation": "h", "y": 1.16, "yanchor": "bottom", "x": 0}
_GRID: dict[str, Any] = {"gridcolor": "#2b303a", "zeroline": False, "fixedrange": True}
# before a column's name; training has no prefix
_PARTS: dict[str, dict[str, Any]] = {"validation_": {"width": 2}, "": {"width": 1.5, "dash": "dot"}}


def history_figure(histories: dict[str, History], height: int = 290) -> dict[str, Any]:
    """Loss, error and KL by epoch, a panel each: by name, validation as a line and training as dots of its colour."""
    width = (1 - GAP * (len(PANELS) - 1)) / len(PANELS)
    axes: dict[str, Any] = {}
    traces, titles = [], []
    for at, (column, title) in enumerate(PANELS.items()):
        number = "" if at == 0 else str(at + 1)
        left = at * (width + GAP)
        titles.append(_TITLE | {"text": title, "x": left + width / 2, "y": 1.01, "showarrow": False})
        axes[f"xaxis{number}"] = _GRID | {"domain": [left, left + width], "title": {"text": "Epoch"}, "anchor": f"y{number}"}
        axes[f"yaxis{number}"] = _GRID | {"anchor": f"x{number}"}
        for (name, history), colour in zip(histories.items(), COLOURS, strict=False):
            traces += [
                _line(name, history["epoch"], history[part + column]) | {
                    "line": line | {"color": colour}, "xaxis": f"x{number}", "yaxis": f"y{number}",
                    "showlegend": at == 0 and part != "",
                }
                for part, line in _PARTS.items() if part + column in history
            ]  # fmt: skip
    layout = {"height": height, "margin": {"l": 44, "r": 8, "t": 70, "b": 40}, "legend": _LEGEND, "hovermode": "closest"}
    return {"data": traces, "layout": layout | axes | {"annotations": titles}}


def _line(name: str, epochs: list[float], values: list[float]) -> dict[str, Any]:
    return {
        "x": epochs, "y": [value if math.isfinite(value) else None for value in values], "name": name, "legendgroup": name,
        "mode": "lines+markers" if len(values) == 1 else "lines", "hovertemplate": "epoch %{x}: %{y:.4g}<extra></extra>",
    }  # fmt: skip
