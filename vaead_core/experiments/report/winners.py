"""Which map to look at for what: in each cell of a grid the one that validation subjects choose, with what it reaches on test."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from vaead_core import scorers
from vaead_core.anomalies import lesions
from vaead_core.anomalies.toys.datasets import DATASETS
from vaead_core.experiments.painted import KINDS
from vaead_core.experiments.report.recommendation import ATLAS, EQUALISED
from vaead_core.experiments.report.tables import Number, label, number, select

OTHERS = 3  # maps that are named beside a cell's

Places = dict[tuple[str, str], tuple[str, str]]  # (line, column) → (dataset, combination)


@dataclass(frozen=True)
class Question:
    """What a reader looks for: a grid of anomalies that an experiment measures."""

    asked: str
    experiment: str
    places: Places

    @property
    def tables(self) -> tuple[str, str]:
        """Names of the recorded ones: of validation subjects, and of test subjects."""
        return f"{self.experiment}-validation", self.experiment


def _painted() -> Places:
    lines = {kind: _called(kind) for kind in KINDS if kind != "atrophy"}
    return {(line, name): (kind, name) for kind, line in lines.items() for name in KINDS[kind]}


def _called(kind: str) -> str:
    """With its size: radii of the spots, or of the whole."""
    lesion = lesions.build(kind)
    radii = [getattr(lesion, name) for name in ("smallest_mm", "largest_mm", "radius_mm") if hasattr(lesion, name)]
    return f"{lesion.title}, radius {' to '.join(f'{one:g}' for one in radii)} mm"


def _toys(dataset: str) -> Places:
    return {(one.size, one.intensity): (dataset, one.name) for one in DATASETS[dataset]}


QUESTIONS = (
    Question("A lesion that is darker or brighter than its tissue", "painted", _painted()),
    Question(
        "Lost tissue", "painted", {(lesions.LESIONS["atrophy"].title, name): ("atrophy", name) for name in KINDS["atrophy"]}
    ),
    Question("A circle, by radius and intensity", "slices", _toys("circles")),
    Question("A random shape, by size and intensity", "slices", _toys("random")),
)


@dataclass(frozen=True)
class Winner:
    """Of one cell. others: the best of the other maps on test subjects, which can be better there, and both baselines, each with
    its AP there."""

    line: str
    column: str
    method: str
    found: Number
    others: tuple[str, ...]

    @property
    def above_chance(self) -> bool:
        """Whether the whole interval is; without one, the AP."""
        return (self.found.ap if pd.isna(self.found.low) else self.found.low) > self.found.chance


def winners(question: Question, choosing: pd.DataFrame, rows: pd.DataFrame) -> list[Winner]:
    """A map a cell: the one of the highest AP in `choosing`, of validation subjects, with its AP in `rows`, of test subjects.

    Maps are those that have a mask and no settings of their own. Cells that one of the tables lacks, and maps
    without a value there, are left out.
    """
    found = []
    datasets = {dataset for dataset, _ in question.places.values()}
    tables = [_by_place(table[table["dataset"].isin(datasets)]) for table in (choosing, rows)]
    for (line, column), place in question.places.items():
        chosen, measured = (table.get(place, {}) for table in tables)
        if known := [name for name in sorted(chosen, key=lambda name: -chosen[name].ap) if name in measured]:
            winner = known[0]
            rest = sorted((name for name in measured if name != winner), key=lambda name: -measured[name].ap)
            named = [*rest[:OTHERS], *(name for name in (ATLAS, EQUALISED) if name in rest[OTHERS:])]
            others = tuple(f"{label(name)} {measured[name].ap:.3f}" for name in named)
            found.append(Winner(line, column, label(winner), measured[winner], others))
    return found


def table_of(found: list[Winner]) -> pd.DataFrame:
    """A line a cell, as it is saved."""
    lines = [(one.line, one.column, one.method, one.found.ap, one.found.low, one.found.high, one.found.chance) for one in found]
    return pd.DataFrame(lines, columns=["Anomaly", "Look", "Method", "AP", "2.5 %", "97.5 %", "Chance"])


def axes(found: list[Winner]) -> tuple[list[str], list[str]]:
    """Lines and columns in their order."""
    return list(dict.fromkeys(one.line for one in found)), list(dict.fromkeys(one.column for one in found))


def _by_place(rows: pd.DataFrame) -> dict[tuple[str, str], dict[str, Number]]:
    """(dataset, combination) → the numbers of each map there."""
    places = select(rows, "segmentation", None).groupby(["dataset", "combination"])
    return {place: _by_map(dict(iter(mine.groupby("scorer")))) for place, mine in places}


def _by_map(rows: dict[str, pd.DataFrame]) -> dict[str, Number]:
    numbers = {name: number(rows[name]) for name in scorers.map_scorers() if name in rows}
    return {name: one for name, one in numbers.items() if one is not None and not pd.isna(one.ap)}
