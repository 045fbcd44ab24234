"""Two scans of one person: what changed in his map and in his figures, beside how much repeated scans differ. It describes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from vaead_core import scorers
from vaead_core.errors import InputError
from vaead_core.study.group import UNKNOWN, GroupTable, column, has_map
from vaead_core.study.names import BidsName
from vaead_core.study.on_atlas import OnAtlas, scan_on_atlas
from vaead_core.study.results import Results

MOST_REPEATS = 5  # whose maps are read

Pair = tuple[str, str]


@dataclass(frozen=True)
class Visits:
    """A method's maps of two scans, the earlier one first."""

    first: OnAtlas
    second: OnAtlas

    @property
    def difference(self) -> OnAtlas:
        """The second less the first, where both brains cover the atlas."""
        both = self.first.covered & self.second.covered
        return OnAtlas(np.where(both, self.second.values - self.first.values, np.float32(0)), both)

    @property
    def typical(self) -> float:
        """Median size of the difference of a voxel."""
        difference = self.difference
        return float(np.median(np.abs(difference.values[difference.covered])))


@dataclass(frozen=True)
class Change:
    """Of a figure of the records. between_runs: median size of its change between repeated scans, NaN where there are none."""

    name: str
    unit: str
    first: float
    second: float
    between_runs: float

    @property
    def change(self) -> float:
        """The second less the first."""
        return self.second - self.first


def visited(table: GroupTable) -> dict[str, list[str]]:
    """The scans with maps of each person who has two or more, in the order of their sessions' and runs' labels.

    A number in a label counts as such: session 10 follows session 9.
    """
    scans: dict[str, list[str]] = {}
    for row in table.rows:
        if any(has_map(row, method) for method in table.methods):
            scans.setdefault(row["participant_id"], []).append(row["scan"])
    return {person: sorted(names, key=_natural) for person, names in scans.items() if len(names) > 1}


def methods_of(table: GroupTable, pair: Pair) -> list[str]:
    """Those whose maps both have."""
    rows = _rows(table, pair)
    return [method for method in table.methods if method in scorers.SCORERS and all(has_map(row, method) for row in rows)]


def remarks(table: GroupTable, pair: Pair) -> list[str]:
    """What stands against a comparison of two scans, in plain sentences."""
    first, second = _rows(table, pair)
    said = []
    if first.get("made_by") != second.get("made_by"):
        said.append("These two were not made alike (made_by): other options, code or checkpoint; run participant on both.")
    if _content(first) == _content(second):
        said.append("Both are the same file under two names.")
    return said


def repeats(table: GroupTable, method: str, besides: Pair) -> list[Pair]:
    """Two runs of one session each, of different files that were made alike. besides: a pair that is not among them."""
    sessions: dict[tuple[object, ...], list[dict[str, str]]] = {}
    for row in table.rows:
        name = BidsName.of(f"{row['scan']}_T1w")
        if name and has_map(row, method):
            of = *(entity for entity in name.entities if entity[0] != "run"), row.get("made_by")
            sessions.setdefault(of, []).append(row)
    pairs = [pair for rows in sessions.values() for pair in combinations(rows, 2) if _content(pair[0]) != _content(pair[1])]
    return [(one["scan"], other["scan"]) for one, other in pairs if {one["scan"], other["scan"]} != set(besides)]


def changes(table: GroupTable, method: str, pair: Pair) -> list[Change]:
    """Of score, percentile, volume, brain and registration."""
    again = [_rows(table, one) for one in repeats(table, method, pair)]
    rows, found = _rows(table, pair), []
    for name, said, unit in (
        (column(method, "score"), "Score of the scan", scorers.SCORERS[method].unit),
        (column(method, "percentile"), "Its percentile among healthy scans", "%"),
        (column(method, "volume"), "Marked volume", "mL"),
        ("brain_volume", "Brain volume", "mL"),
        ("registration_similarity", "Similarity to the atlas", ""),
    ):
        sizes = [abs(_value(other, name) - _value(one, name)) for one, other in again]
        first, second = (_value(row, name) for row in rows)
        found.append(Change(said, unit, first, second, float(np.median(sizes)) if sizes else float("nan")))
    return found


def two_visits(results: Results, method: str, pair: Pair, content: Callable[[Path], bytes] | None = None) -> Visits:
    """content: reads a map's file, by itself as `results` does. Raises InputError."""
    found = Visits(*(scan_on_atlas(results, name, method, content or results.content) for name in pair))
    if not found.difference.covered.any():
        raise InputError("No place of the atlas is covered by both brains; choose other scans.")
    return found


def between_runs(results: Results, method: str, pairs: Sequence[Pair], content: Callable[[Path], bytes] | None = None) -> float:
    """Median over the first MOST_REPEATS pairs of how much a voxel differs; NaN without any. Raises InputError."""
    sizes = [two_visits(results, method, pair, content).typical for pair in pairs[:MOST_REPEATS]]
    return float(np.median(sizes)) if sizes else float("nan")


def _rows(table: GroupTable, pair: Pair) -> tuple[dict[str, str], dict[str, str]]:
    rows = {row["scan"]: row for row in table.rows}
    return rows[pair[0]], rows[pair[1]]


def _content(row: dict[str, str]) -> str:
    """The first scan that has these bytes."""
    same_as = row.get("same_as", UNKNOWN)
    return row["scan"] if same_as == UNKNOWN else same_as


def _value(row: dict[str, str], name: str) -> float:
    """NaN for what is not known."""
    text = row.get(name, UNKNOWN)
    return float("nan") if text == UNKNOWN else float(text)


def _natural(name: str) -> list[tuple[int, str]]:
    """
    >>> sorted(["sub-1_ses-10", "sub-1_ses-9", "sub-1_ses-a"], key=_natural)
    ['sub-1_ses-9', 'sub-1_ses-10', 'sub-1_ses-a']
    """
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name) if part]
