"""The Cohort page's cached functions: a study's table, the picture of a map, two groups, and two
scans of one person, beside each other and on the atlas."""  # fmt: skip

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from pages.shared.server import memory, queue
from pages.shared.server.cache import cached, forget_all
from vaead_core import scorers
from vaead_core.study.comparison import Separated, separated
from vaead_core.study.group import UNKNOWN, GroupTable
from vaead_core.study.group_map import Difference, group_difference
from vaead_core.study.results import Results
from vaead_core.study.visits import Pair, Visits, between_runs, two_visits

NAMES = ("scan", "participant_id", "session_id", "run", "state", "sentence", "same_as", "made_by", "brain_found_by", "cautions")


@dataclass(frozen=True)
class Table:
    """A study's rows. frame: with numbers where all of a column are, None for what is not known. whose: the results' folder."""

    whose: str
    digest: str
    group: GroupTable
    frame: pd.DataFrame


@dataclass(frozen=True)
class MeanDifference:
    """picture: a PNG of it."""

    found: Difference
    picture: bytes


@dataclass(frozen=True)
class ShownVisits:
    """between_runs: how much a voxel differs there. pictures: a PNG of each map. picture: one of their difference."""

    visits: Visits
    between_runs: float
    pictures: tuple[bytes, bytes]
    picture: bytes


def table(results: Results) -> Table:
    """Read once for each version of the results. Raises InputError."""
    return _table(str(results.out), results.digest, results)


@cached
def _table(whose: str, digest: str, _results: Results) -> Table:
    group = _results.table()
    rows = pd.DataFrame(group.rows, columns=list(group.columns)).replace(UNKNOWN, None)
    for name in rows.columns:
        if name not in NAMES:
            numbers = pd.to_numeric(rows[name], errors="coerce")
            rows[name] = numbers if (numbers.notna() | rows[name].isna()).all() else rows[name]
    return Table(whose, digest, group, rows)


@cached
def picture(whose: str, digest: str, scan: str, method: str, _results: Results) -> str:
    """A method's row of the picture of a scan, by the table's column `scan`, as an address that holds it; "" for none."""
    found = _results.picture(_results.scan(scan), method)
    return f"data:image/webp;base64,{base64.b64encode(found).decode()}" if found else ""


def forget(whose: str) -> None:
    """Drops all that was made of a folder of results."""
    forget_all(whose)


@cached
def difference(
    whose: str, digest: str, method: str, column: str, first: str, second: str, _results: Results, _group: GroupTable
) -> MeanDifference:
    """The mean map of a group less that of another, on the atlas, with its picture. Raises InputError."""
    from vaead_core.figures.atlas_mosaic import Colours, atlas_mosaic_png

    found = group_difference(_results, _group, method, column, first, second, partial(_content, _results))
    unit = scorers.SCORERS[method].unit
    colours = Colours.of([(found.values, found.covered)], f"difference of means, {unit}", signed=True)
    return MeanDifference(found, atlas_mosaic_png(found.values, found.covered, found.grid, colours))


@cached
def visits(whose: str, digest: str, method: str, pair: Pair, again: tuple[Pair, ...], _results: Results) -> ShownVisits:
    """A method's maps of two scans on the atlas, with pictures; again: pairs of runs of a session. Raises InputError."""
    from vaead_core.figures.atlas_mosaic import Colours, atlas_mosaic_png

    content, scorer = partial(_content, _results), scorers.SCORERS[method]
    found = two_visits(_results, method, pair, content)
    both, difference = (found.first, found.second), found.difference
    shared = Colours.of([(one.values, one.covered) for one in both], scorer.unit, scorer.signed)
    first, second = (atlas_mosaic_png(one.values, one.covered, one.grid, shared, small=True) for one in both)
    colours = Colours.of([(difference.values, difference.covered)], f"second less first, {scorer.unit}", signed=True)
    picture = atlas_mosaic_png(difference.values, difference.covered, difference.grid, colours)
    return ShownVisits(found, between_runs(_results, method, again, content), (first, second), picture)


def _content(results: Results, file: Path) -> bytes:
    """Of a map's file."""
    queue.listen()  # whoever has left does not wait for the rest
    found = results.content(file)
    memory.refuse_to_read(found, file.name)
    return found


@cached
def compared(table: Table, column: str, first: str, second: str) -> list[Separated]:
    """Each method's scores of two groups."""
    return separated(table.group, column, first, second)
