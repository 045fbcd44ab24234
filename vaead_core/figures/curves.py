"""Figures of precision, recall and AP, as the plain dictionaries that plotly draws."""

from __future__ import annotations

from typing import Any

import numpy as np

from vaead_core.measures.precision_recall import PrecisionRecall
from vaead_core.pipeline.planting import Sweep

COLOURS = ("#4c9be8", "#e8a33d", "#57c4a0", "#d67bb5")
GREY, POINT = "#9aa0a6", "#ff5d3b"
SHARES_SCALE = [[0, "#1d222b"], [1, "#1f6fc4"]]  # from 0 to 1, each dark enough for white letters
GAP = 0.05  # of the figure's width, between two panels
PLAIN = {"displayModeBar": False}  # plotly's config of a chart without its row of buttons
LEGEND: dict[str, Any] = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}  # above the chart
GRID: dict[str, Any] = {"gridcolor": "#2b303a", "zeroline": False}
FRAME = GRID | {"showgrid": True, "fixedrange": True}
_SHARE = FRAME | {"tickvals": [0, 0.5, 1], "automargin": False}  # drawn anew with each toy: nothing is left to be found out


def precision_recall_figure(curves: list[tuple[PrecisionRecall, float]], height: int = 190) -> dict[str, Any]:
    """A panel for each (curve, threshold), side by side, with the chance line and the threshold's point.

    Trace n is curve n; its `customdata` are thresholds.
    """
    lines, marks, axes = [], [], {}
    for at, ((curve, threshold), (number, domain)) in enumerate(zip(curves, panels(len(curves), GAP), strict=True)):
        place = {"xaxis": f"x{number}", "yaxis": f"y{number}"}
        axes[f"xaxis{number}"] = _SHARE | {"domain": domain, "range": [-0.02, 1.02], "title": {"text": "Recall"}}
        axes[f"yaxis{number}"] = _SHARE | {"range": [0, 1.04], "anchor": f"x{number}"}
        axes[f"yaxis{number}"] |= {"title": {"text": "Precision"}} if at == 0 else {}
        lines.append(_curve(curve, COLOURS[at % len(COLOURS)]) | place)
        marks += [mark | place for mark in _marks(curve, threshold)]
    layout = {"height": height, "margin": {"l": 48, "r": 8, "t": 6, "b": 38}, "showlegend": False, "hovermode": "closest"}
    return {"data": lines + marks, "layout": layout | axes}


def sweep_figure(sweep: Sweep, titles: dict[str, str], height: int = 280) -> dict[str, Any]:
    """AP of each scorer against the setting that was swept, above the chance line."""
    x = np.round(sweep.values, 3).tolist()
    lines = [
        {"x": x, "y": ap.tolist(), "name": titles[name], "mode": "lines+markers", "line": {"color": colour}}
        for (name, ap), colour in zip(sweep.ap.items(), COLOURS, strict=False)
    ]
    chance = {"x": x, "y": sweep.chance.tolist(), "name": "Chance (prevalence)", "mode": "lines"}
    layout = {
        "height": height, "margin": {"l": 48, "r": 8, "t": 40, "b": 44},
        "legend": LEGEND,
        "xaxis": FRAME | {"title": {"text": sweep.setting.label}},
        "yaxis": FRAME | {"range": [0, 1.04], "title": {"text": "Average precision"}},
    }  # fmt: skip
    return {"data": [*lines, chance | {"line": {"color": GREY, "dash": "dot"}}], "layout": layout}


def panels(count: int, gap: float) -> list[tuple[str, list[float]]]:
    """Of each panel side by side: what its axes' names end in, and its domain. gap: of the figure's width, between two."""
    width = (1 - gap * (count - 1)) / max(1, count)
    left = [at * (width + gap) for at in range(count)]
    return [("" if at == 0 else str(at + 1), [left[at], left[at] + width]) for at in range(count)]


def _curve(curve: PrecisionRecall, colour: str) -> dict[str, Any]:
    thresholds = curve.thresholds()
    precision, recall = curve.above(thresholds)
    unseen = {"marker": {"opacity": 0}}  # only markers can be clicked; the line is what is seen
    return {
        "x": recall.tolist(), "y": precision.tolist(), "customdata": thresholds.tolist(), "mode": "lines+markers",
        "text": [f"{round(threshold, 6) + 0:.3g}" for threshold in thresholds.tolist()],
        "line": {"color": colour, "width": 2}, "marker": {"size": 4, "opacity": 0}, "selected": unseen, "unselected": unseen,
        "hovertemplate": "threshold %{text}<br>precision %{y:.2f}, recall %{x:.2f}<extra></extra>",
    }  # fmt: skip


def _marks(curve: PrecisionRecall, threshold: float) -> list[dict[str, Any]]:
    """The chance line and the threshold's point."""
    precision, recall = curve.above(threshold)
    chance = curve.detection.prevalence
    still = {"hoverinfo": "skip"}
    return [
        still | {"x": [0, 1], "y": [chance, chance], "mode": "lines", "line": {"color": GREY, "dash": "dot", "width": 1.5}},
        still | {
            "x": [float(recall)], "y": [float(precision)], "mode": "markers", "cliponaxis": False,
            "marker": {"color": POINT, "size": 11, "line": {"color": "white", "width": 1.5}},
        },
    ]  # fmt: skip


def described(title: str, curve: PrecisionRecall, threshold: float) -> str:
    """AP beside chance, and how the pixels above the threshold agree with the truth."""
    precision, recall = curve.above(threshold)
    found = curve.detection
    return (
        f"{title} AP {found.ap:.3f}, chance {found.prevalence:.3f}  \n"
        f"precision {precision:.2f}, recall {recall:.2f} above {threshold:.3g}"
    )
