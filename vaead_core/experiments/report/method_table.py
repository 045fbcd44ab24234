"""Recorded rows as the tables that a reader compares: methods, and size by intensity."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from vaead_core.anomalies.toys.datasets import DATASETS
from vaead_core.experiments.records import ALL
from vaead_core.experiments.report.tables import label

SCORE = ("scorer", "detector_settings", "masked")
_COLUMNS = {
    "ap": ("AP", "mean"), "ap_low": ("2.5 %", "min"), "ap_high": ("97.5 %", "max"),
    "prevalence": ("Chance", "mean"), "auroc": ("AUROC", "mean"), "best_dice": ("Best Dice", "mean"),
    "dice_at_5": ("Dice 5 %", "mean"), "seconds": ("Seconds", "max"),
    "subject_count": ("Subjects", "max"),
}  # fmt: skip


def methods(
    rows: pd.DataFrame, task: str, dataset: str, combination: str = ALL, seconds: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """One line a method, the highest AP first: AP with its 95 % interval, chance, AUROC, Dice, seconds where they are known.

    Trainings that differ by seed alone are one line: their mean and the widest of their intervals. Other models are lines
    of their own, named in the column Model. Columns without a value are left out.
    """
    mine = rows[(rows["task"] == task) & (rows["dataset"] == dataset) & (rows["combination"] == combination)]
    mine = mine.assign(seconds=mine["scorer"].map(seconds or {}).astype(float))
    several = mine["checkpoint"].nunique() > 1
    repeated = several and mine["seed"].nunique() == mine["checkpoint"].nunique()
    by = [*SCORE, *(["checkpoint"] if several and not repeated else [])]
    found = mine.groupby(by, as_index=False).agg({name: how for name, (_, how) in _COLUMNS.items()})
    found.insert(0, "Method", [label(*row) for row in found[list(SCORE)].itertuples(index=False)])
    found = found.sort_values("ap", ascending=False, ignore_index=True).drop(columns=list(SCORE))
    titles = {name: title for name, (title, _) in _COLUMNS.items()} | {"checkpoint": "Model"}
    return found.rename(columns=titles).dropna(axis=1, how="all")


def scores_of(rows: pd.DataFrame, task: str) -> dict[str, tuple[str, str, bool]]:
    """Label → (scorer, settings, masked) of all that a table measures in a task, the highest mean AP first."""
    known = rows[rows["task"] == task].groupby(list(SCORE))["ap"].mean().sort_values(ascending=False, kind="stable")
    return {label(*row): row for row in known.index}


def size_by_intensity(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """AP of one score: size by intensity on circles and random shapes, by combination on the other two datasets."""
    grids = {}
    for dataset in ("circles", "random"):
        sizes, intensities = ([*dict.fromkeys(getattr(c, key) for c in DATASETS[dataset])] for key in ("size", "intensity"))
        values = _by_combination(rows, dataset)
        grid = [[values.get(f"{size} {intensity}", np.nan) for intensity in intensities] for size in sizes]
        grids[dataset] = pd.DataFrame(grid, sizes, intensities)
    several = {name: value for dataset in ("multiple", "tumour") for name, value in _by_combination(rows, dataset).items()}
    return grids | {"multiple and tumour": pd.DataFrame(several.values(), list(several), [""])}


def by_combination(rows: pd.DataFrame, task: str, dataset: str) -> pd.DataFrame:
    """AP of every method (lines, best first) on every combination of a dataset (columns)."""
    mine = rows[(rows["task"] == task) & (rows["dataset"] == dataset) & (rows["combination"] != ALL)]
    mine = mine.assign(method=[label(*row) for row in mine[list(SCORE)].itertuples(index=False)])
    grid = mine.pivot_table(index="method", columns="combination", values="ap")
    return grid.loc[grid.mean(axis=1).sort_values(ascending=False).index]


def _by_combination(rows: pd.DataFrame, dataset: str) -> dict[str, float]:
    mine = rows[(rows["dataset"] == dataset) & (rows["combination"] != ALL)].groupby("combination")["ap"].mean()
    return {c.name: float(mine[c.name]) for c in DATASETS[dataset] if c.name in mine}
