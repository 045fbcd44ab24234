"""The Cohort page's cached functions: a study's table, a small picture of a map, two groups beside each other."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

import pandas as pd

from pages.shared.server import memory
from pages.shared.server.cache import cached, forget_all
from vaead_core import scorers
from vaead_core.errors import InputError
from vaead_core.figures.thumbnail import thumbnail_png
from vaead_core.scans.nifti import read_nifti
from vaead_core.scans.volume import Volume
from vaead_core.study.comparison import Separated, separated
from vaead_core.study.dataset import StudyScan
from vaead_core.study.group import UNKNOWN, GroupTable
from vaead_core.study.records import record_file
from vaead_core.study.results import Results

NAMES = ("scan", "participant_id", "session_id", "run", "state", "sentence", "same_as", "made_by", "brain_found_by", "cautions")


@dataclass(frozen=True)
class Table:
    """A study's rows. frame: with numbers where all of a column are, None for what is not known. whose: the results' folder."""

    whose: str
    digest: str
    group: GroupTable
    frame: pd.DataFrame


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


@dataclass(frozen=True)
class PictureOf:
    """A method's map of a scan. record: digest of what is said of it, which changes with the map."""

    results: Results
    scan: StudyScan
    method: str
    record: str

    @staticmethod
    def of(results: Results, scan: StudyScan, method: str) -> PictureOf:
        """With the record as it is now."""
        try:
            content = record_file(results.out, scan).read_bytes()
        except OSError:
            content = b""
        return PictureOf(results, scan, method, hashlib.blake2b(content).hexdigest())

    @property
    def digest(self) -> tuple[str, ...]:
        """What the cache knows it by."""
        return str(self.results.out), self.record, self.scan.name.stem, self.method


@cached
def thumbnail(of: PictureOf) -> str:
    """As an address that holds the picture; "" where a file is gone, or is of another scan by now."""
    try:
        if (said := of.results.record(of.scan).get("found", {}).get(of.method)) is None:
            return ""
        scan = _read(of.results.content(of.scan.path), of.scan.path.name)
        found = _read(of.results.content(of.results.map_file(of.scan, of.method)), "map")
    except InputError:
        return ""
    if scan.data.shape != found.data.shape:
        return ""
    values = scorers.abnormality(of.method, found.data)
    content = thumbnail_png(scan.data, values, said["threshold"], 2 * said["threshold"], scan.spacing_mm)
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


def _read(content: bytes, name: str) -> Volume:
    memory.refuse_to_read(content, name)
    return read_nifti(content, name, constant=True)


def forget(whose: str) -> None:
    """Drops all that was made of a folder of results."""
    forget_all(whose)


@cached
def compared(table: Table, column: str, first: str, second: str) -> list[Separated]:
    """Each method's scores of two groups."""
    return separated(table.group, column, first, second)
