"""Finding rows in recorded tables, and naming them for a reader."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from vaead_core import detectors, scorers
from vaead_core.errors import InputError
from vaead_core.experiments.records import ALL
from vaead_core.experiments.report.thesis import TOYS
from vaead_core.experiments.report.wording import markdown_table

Tables = dict[str, pd.DataFrame]
CHOOSING = "choosing"
ATLAS, RECONSTRUCTION = "voxel_atlas", "reconstruction_mse"


@dataclass(frozen=True)
class Number:
    """A mean average precision, its 95 % interval (NaN where there is none) and its chance level."""

    ap: float
    low: float
    high: float
    chance: float

    def __str__(self) -> str:
        interval = "" if pd.isna(self.low) else f" [{self.low:.3f}, {self.high:.3f}]"
        return f"{self.ap:.3f}{interval}"


def select(
    rows: pd.DataFrame, task: str, scorer: str | None, settings: str | None = "", masked: bool | None = True, **columns: str
) -> pd.DataFrame:
    """The rows of one score. scorer, settings, masked: None for any. columns: further ones and the value wanted."""
    wanted = rows["task"] == task
    if scorer is not None:
        wanted &= rows["scorer"] == scorer
    if settings is not None:
        wanted &= rows["detector_settings"] == settings
    if masked is not None:
        wanted &= rows["masked"] == masked
    for column, value in columns.items():
        wanted &= rows[column] == value
    return rows[wanted]


def number(rows: pd.DataFrame) -> Number | None:
    """Of rows that differ by training seed alone: their mean, and the widest of their intervals; None of no row."""
    if rows.empty:
        return None
    ap, chance = rows[["ap", "prevalence"]].mean()
    return Number(float(ap), float(rows["ap_low"].min()), float(rows["ap_high"].max()), float(chance))


def mean_ap(rows: pd.DataFrame, task: str, scorer: str, settings: str, dataset: str, masked: bool = True) -> Number:
    """A score's mAP over a dataset's combinations; ValueError where it is not recorded."""
    return needed(number(select(rows, task, scorer, settings, masked, dataset=dataset, combination=ALL)))


def needed(found: Number | None) -> Number:
    """The number of a row that a report cannot do without; ValueError where it is not recorded."""
    if found is None:
        raise ValueError("a recorded table lacks a score that the report reads")
    return found


def over_toys(rows: pd.DataFrame, scorer: str, masked: bool = True) -> dict[str, float]:
    """A map's mAP in each of the four toy sets. masked: over the brain alone, or over whole slices."""
    return {toy: mean_ap(rows, "segmentation", scorer, "", toy, masked).ap for toy in TOYS}


def chosen_detector(tables: Tables, experiment: str, dataset: str) -> tuple[str, str]:
    """(detector, settings) with the highest mAP where choosing is allowed: validation subjects, or deformed t-shirts.

    Raises InputError where the table to choose by is not recorded.
    """
    if experiment == "fashion":
        return best_detector(tables["fashion"], CHOOSING)
    if f"{experiment}-validation" not in tables:
        command = f"python -m vaead_core evaluate {experiment} --subjects validation"
        raise InputError(f"A detector is chosen on validation subjects, which are not recorded; run: {command}")
    return best_detector(tables[f"{experiment}-validation"], dataset)


def best_detector(rows: pd.DataFrame, dataset: str) -> tuple[str, str]:
    """(detector, settings) with the highest mAP on `dataset` of a table; on the test table, picked after the fact."""
    mine = rows[rows["scorer"].isin(detectors.DETECTORS) & (rows["task"] == "detection") & (rows["dataset"] == dataset)]
    return mine[mine["combination"] == ALL].groupby(["scorer", "detector_settings"])["ap"].mean().idxmax()


def label(scorer: str, settings: str = "", masked: bool = True) -> str:
    """For example "KNN, by position", "Residual, not masked" or "Residual, smoothed 4 mm"."""
    known = scorers.SCORERS.get(scorer) or detectors.DETECTORS[scorer]
    words = {"standardise=global": "", "standardise=position": "by position", "gaussian_mm=4": "smoothed 4 mm"}
    extra = [words.get(one, one.replace("=", " ")) for one in settings.split(", ") if one]
    return ", ".join([known.title, *(one for one in extra if one), *([] if masked else ["not masked"])])


def by_dataset(head: str, groups: dict[str, pd.DataFrame]) -> str:
    """A Markdown table: one line a group of rows, one column a dataset, chance at the end. head: what the groups are."""
    everything = pd.concat(groups.values())
    datasets = list(dict.fromkeys(everything["dataset"]))
    lines = [
        [name, *(str(number(rows[rows["dataset"] == dataset]) or "–") for dataset in datasets)] for name, rows in groups.items()
    ]
    chances = [everything[everything["dataset"] == dataset]["prevalence"].mean() for dataset in datasets]
    chance = ["chance", *(f"{one:.3f}" for one in chances)]
    return markdown_table([head, *(name.replace("_", " ") for name in datasets)], [*lines, chance])
