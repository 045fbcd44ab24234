"""What the report and the Benchmark page say of thresholds from a few healthy scans of a scanner never seen."""

from __future__ import annotations

from typing import Any

import pandas as pd

from vaead_core.experiments.report.shift import ALLOWED, RATE
from vaead_core.experiments.report.tables import Tables, label
from vaead_core.experiments.report.wording import markdown_table
from vaead_core.experiments.site_calibration import TRAINING_SITE
from vaead_core.figures.curves import COLOURS, FRAME, GREY, LEGEND
from vaead_core.pipeline.scoring import SCALES

ENOUGH = 5  # scans


def by_count(rows: pd.DataFrame) -> pd.DataFrame:
    """One row a scorer, scale and site at RATE, a column a number of scans: what is marked in the site's other brains, %."""
    mine = rows[rows["threshold"] == RATE].assign(
        method=lambda one: one["scorer"].map(label), scale=lambda one: one["scale"].map(SCALES)
    )
    table = (100 * mine.set_index(["method", "scale", "site", "scans"])["median"]).unstack("scans")
    names = {count: "none" if count == TRAINING_SITE else str(count) for count in table.columns}
    return table.rename(columns=names).reset_index().rename(columns={"method": "Method", "scale": "Scale", "site": "Scanner"})


def curve_figure(rows: pd.DataFrame, scorer: str, site: str) -> dict[str, Any]:
    """What thresholds at RATE mark in a site's other brains, by the number of calibration scans, on both scales.

    Bars hold the medians of nine draws of ten; dotted: the share below which nine people of ten are.
    """
    data: list[dict[str, Any]] = []
    mine = rows[(rows["scorer"] == scorer) & (rows["site"] == site) & (rows["threshold"] == RATE)].sort_values("scans")
    for (scale, one), colour in zip(mine.groupby("scale", sort=False), COLOURS, strict=False):
        x = ["none" if count == TRAINING_SITE else str(count) for count in one["scans"]]
        median, low, high, tail = ((100 * one[name]).round(2).tolist() for name in ("median", "low", "high", "p90"))
        spread = {
            "type": "data", "symmetric": False, "thickness": 1.5, "array": [b - a for a, b in zip(median, high, strict=True)],
            "arrayminus": [a - b for a, b in zip(median, low, strict=True)],
        }  # fmt: skip
        shown = {"x": x, "name": SCALES[scale], "line": {"color": colour}}
        data.append(shown | {"y": median, "mode": "lines+markers", "error_y": spread})
        data.append(shown | {"y": tail, "mode": "lines", "line": {"color": colour, "dash": "dot"}, "showlegend": False})
    low, high, _ = (100 * share for share in ALLOWED)
    band = {"type": "rect", "xref": "paper", "x0": 0, "x1": 1, "y0": low, "y1": high, "fillcolor": GREY, "opacity": 0.2, "line": {"width": 0}}  # fmt: skip  # noqa: E501
    layout = {
        "height": 300, "margin": {"l": 48, "r": 8, "t": 40, "b": 44}, "legend": LEGEND, "shapes": [band],
        "xaxis": FRAME | {"type": "category", "title": {"text": "Healthy scans of this scanner"}},
        "yaxis": FRAME | {"rangemode": "tozero", "title": {"text": "Marked of other brains, %"}},
    }  # fmt: skip
    return {"data": data, "layout": layout}


def reading(tables: Tables) -> str:
    """How many scans suffice, and what is marked with as many."""
    rows = tables["site_calibration"]
    low, high, _ = ALLOWED
    mine = rows[(rows["threshold"] == RATE) & (rows["scans"] == ENOUGH)]
    said = []
    for scale, one in mine.groupby("scale", sort=False):
        before = rows[(rows["threshold"] == RATE) & (rows["scans"] == TRAINING_SITE) & (rows["scale"] == scale)]
        said.append(
            f"On {SCALES[scale]}, thresholds of {ENOUGH} healthy scans that should mark 5 % mark "
            f"{100 * one['median'].min():.1f} to {100 * one['median'].max():.1f} % of the site's other brains (median over "
            f"people, by method), {100 * one['p90'].max():.1f} % or less of nine in ten; those of the training site mark "
            f"{100 * before['median'].min():.1f} to {100 * before['median'].max():.1f} %. "
            f"{int(one['median'].between(low, high).sum())} of {len(one)} maps are within {100 * low:.0f} to {100 * high:.0f} %."
        )
    table = by_count(rows)
    cells = ([one if isinstance(one, str) else f"{one:.1f}" for one in row] for row in table.itertuples(index=False))
    shown = markdown_table(list(table.columns), cells)
    return "\n".join(f"- {one}" for one in said) + "\n\nMarked, %, by the number of healthy scans:\n\n" + shown
