"""What the report says and draws of maps read at their healthy thresholds."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from vaead_core.experiments.readout import EDGES_ML, HEALTHY, SIZES, THRESHOLDS
from vaead_core.experiments.records import ALL
from vaead_core.experiments.report import charts
from vaead_core.experiments.report.tables import Tables, label
from vaead_core.measures.found_lesions import OVERLAP

ALLOWED = (0.03, 0.07)  # share of healthy test voxels that a threshold of 5 % may mark


def reading(tables: Tables) -> str:
    """Whether a 5 % threshold marks about 5 %, what is found and at what price."""
    rows = tables["readout"]
    marked = _of(rows, "marked", 0.05).sort_values("value")
    outside = marked[~marked["value"].between(*ALLOWED)]
    low, high = marked.iloc[0], marked.iloc[-1]
    named = "; ".join(f"{_name(one)} {_share(one)}" for one in outside.itertuples()) or "none"
    said = [
        f"**A threshold of 5 % of healthy validation voxels marks {low.value:.1%} ({_name(low)}) to {high.value:.1%} "
        f"({_name(high)}) of the healthy test brains.** Outside {ALLOWED[0]:.0%} to {ALLOWED[1]:.0%}: {named}.",
    ]
    for rate in THRESHOLDS:
        found, alarms = _of(rows, "sensitivity", rate), _of(rows, "false_positives", rate).set_index("scorer")
        best = found.loc[found["value"].idxmax()]
        alarm = alarms.loc[best["scorer"]]
        sizes = rows[(rows["measure"] == "sensitivity") & (rows["threshold"] == rate) & (rows["dataset"] == ALL)]
        sizes = sizes[(sizes["scorer"] == best["scorer"]) & (sizes["size"] != ALL)].set_index("size")
        by_size = ", ".join(f"{size} {sizes.loc[size, 'value']:.0%}" for size in SIZES if size in sizes.index)
        said.append(
            f"At {rate:.0%}: {_name(best)} finds most painted lesions, {_share(best)} ({by_size}), where the same places of the "
            f"healthy brain count as found in {best['twin']:.0%}; a healthy brain then shows {alarm['value']:.0f} false "
            f"components [{alarm['low']:.0f}, {alarm['high']:.0f}]."
        )
    dice = _of(rows, "dice", THRESHOLDS[0])
    best = dice.loc[dice["value"].idxmax()]
    said.append(
        f"Dice at {THRESHOLDS[0]:.0%} is at most {best['value']:.3f} [{best['low']:.3f}, {best['high']:.3f}] ({_name(best)}); "
        f"before the lesions were painted {best['twin']:.3f}."
    )
    said.append(
        f"A lesion is a component of the truth in three dimensions (voxels that share a face) of {EDGES_ML[0]} ml or more; it is "
        f"found when {OVERLAP:.0%} of its voxels are marked, the overlap α of Commowick et al. 2018. Whether marks reach beyond "
        f"it is not asked: false components of {EDGES_ML[0]} ml or more are counted in the healthy brain."
    )
    return "\n".join(f"- {one}" for one in said)


def draw(tables: Tables, folder: Path) -> list[tuple[str, str]]:
    """Draws three figures into `folder`: names and captions."""
    rows = tables["readout"]
    grids = [(f"Found at the {rate:.0%} threshold", _by_size(rows, rate)) for rate in THRESHOLDS]
    charts.table_maps(grids, folder / "readout_sensitivity.png")
    series = {f"{rate:.0%} threshold": _of(rows, "false_positives", rate).set_index("scorer") for rate in THRESHOLDS}
    order = series[f"{THRESHOLDS[-1]:.0%} threshold"]["value"].sort_values(ascending=False).index
    lines = {name: one.loc[order] for name, one in series.items()}
    title = "False components a healthy brain"
    charts.dots(lines, [label(scorer) for scorer in order], title, folder / "readout_false_positives.png")
    curves = {label(scorer): one.sort_values("threshold") for scorer, one in rows[rows["measure"] == "marked"].groupby("scorer")}
    charts.calibration(curves, (0.05, *ALLOWED), folder / "readout_calibration.png")
    found = "Share of painted lesions found, by size; last column: the same places of the healthy brain."
    marked = "Healthy test voxels above a threshold, against the share it was set for; grey: 3 to 7 % at 5 %."
    return [
        ("readout_sensitivity.png", found),
        ("readout_false_positives.png", "Components marked in a healthy test brain, with intervals over subjects."),
        ("readout_calibration.png", marked),
    ]


def _by_size(rows: pd.DataFrame, rate: float) -> pd.DataFrame:
    mine = rows[(rows["measure"] == "sensitivity") & (rows["threshold"] == rate) & (rows["dataset"] == ALL)]
    mine = mine.assign(name=mine["scorer"].map(label))
    grid = mine.pivot_table(index="name", columns="size", values="value")
    grid[HEALTHY] = mine[mine["size"] == ALL].set_index("name")["twin"]
    order = grid[ALL].sort_values(ascending=False).index
    return grid.loc[order, [*(size for size in SIZES if size in grid), ALL, HEALTHY]]


def _of(rows: pd.DataFrame, measure: str, rate: float) -> pd.DataFrame:
    """One row a scorer: all kinds of lesions and sizes together."""
    mine = rows[(rows["measure"] == measure) & (rows["threshold"] == rate) & (rows["size"] == ALL)]
    return mine[mine["dataset"].isin((ALL, HEALTHY))]


def _name(row) -> str:
    return label(row.scorer)


def _share(row) -> str:
    return f"{row.value:.1%} [{row.low:.1%}, {row.high:.1%}]"
