"""What a reader said of the clusters of a study's scans: each method's precision, and a table from which he goes on."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vaead_core import scorers
from vaead_core.errors import InputError, quoted
from vaead_core.measures.components import Cluster
from vaead_core.measures.metrics import Interval, interval_over_subjects
from vaead_core.pipeline import findings
from vaead_core.pipeline.findings import VERDICTS, Finding, Verdict
from vaead_core.study.comparison import LEAST
from vaead_core.study.group import UNKNOWN

COLUMNS = (
    "scan", "scan_sha256", "method", "checkpoint", "threshold", "voxel_i", "voxel_j", "voxel_k", *findings.COLUMNS
)  # fmt: skip
MOST_BYTES = 1 << 20
_MOST_SIGNS = 200  # of a cell
_LARGEST = 1e6  # of a number

Key = tuple[str, str, tuple[int, int, int]]


@dataclass(frozen=True)
class Judged:
    """A cluster as it was when it was judged. scan: a study's, by its table's column `scan`. content: sha256 of its file, "" if
    that is not known. threshold: that it was found above, in its method's map by a checkpoint of that name.
    """

    scan: str
    content: str
    method: str
    checkpoint: str
    threshold: float
    finding: Finding

    @property
    def key(self) -> Key:
        """Which cluster it is: its peak's voxel, of the scan's RAS+ grid, tells."""
        return self.scan, self.method, self.finding.cluster.voxel


@dataclass(frozen=True)
class Precision:
    """Of a method, over all its clusters that were judged. people: with any that was accepted or rejected.

    interval: 95 %, over people; NaN for fewer than LEAST. thresholds: the lowest and highest that clusters were found above.
    """

    method: str
    scans: int
    people: int
    accepted: int
    rejected: int
    unsure: int
    interval: Interval
    thresholds: tuple[float, float]
    checkpoints: tuple[str, ...]

    @property
    def clusters(self) -> int:
        """How many were judged."""
        return self.accepted + self.rejected + self.unsure

    @property
    def value(self) -> float:
        """accepted / (accepted + rejected); NaN where there are none."""
        return self.accepted / decided if (decided := self.accepted + self.rejected) else math.nan

    @property
    def few(self) -> bool:
        """Whether the people are too few for an interval."""
        return self.people < LEAST


def precisions(judged: Iterable[Judged], people: Mapping[str, str]) -> list[Precision]:
    """Each method's, by its name. people: the participant of each scan."""
    by_method: dict[str, list[Judged]] = {}
    for one in judged:
        if one.finding.verdict.said:
            by_method.setdefault(one.method, []).append(one)
    return [_precision(method, by_method[method], people) for method in sorted(by_method)]


def _precision(method: str, judged: list[Judged], people: Mapping[str, str]) -> Precision:
    of_people: dict[str, list[Finding]] = {}
    for one in judged:
        of_people.setdefault(people[one.scan], []).append(one.finding)
    counts = np.array([findings.counted(each)[:2] for each in of_people.values()])
    decided = counts.sum(1)
    shares, weights = counts[decided > 0, 0] / decided[decided > 0], decided[decided > 0]
    unknown = math.nan, math.nan
    return Precision(
        method,
        len({one.scan for one in judged}),
        len(weights),
        *findings.counted(one.finding for one in judged),
        unknown if len(weights) < LEAST else interval_over_subjects(shares, weights=weights),
        (min(one.threshold for one in judged), max(one.threshold for one in judged)),
        tuple(sorted({one.checkpoint for one in judged})),
    )


def verdicts_tsv(judged: Sequence[Judged]) -> str:
    """Tab-separated lines, a header first: which scan and map, and then as `findings_tsv` has it."""
    rows: list[tuple[str, ...]] = [COLUMNS]
    for number, one in enumerate(judged, 1):
        voxel = map(str, one.finding.cluster.voxel)
        of = one.scan, one.content or UNKNOWN, one.method, one.checkpoint, f"{one.threshold:.6g}"
        rows.append((*of, *voxel, *findings.cells(number, one.finding)))
    return "".join("\t".join(row) + "\n" for row in rows)


def read_verdicts(content: bytes) -> list[Judged]:
    """Of such a table. Raises InputError."""
    if len(content) > MOST_BYTES:
        raise InputError(f"Verdicts are a file of at most {MOST_BYTES >> 20} MB; choose the one that the Cohort page gave.")
    try:
        header, *lines = content.decode("utf-8-sig").rstrip("\r\n").split("\n")
    except UnicodeDecodeError:
        raise InputError("This file is no text; choose the table of verdicts that the Cohort page gave.") from None
    if tuple(header.rstrip("\r").split("\t")) != COLUMNS:
        raise InputError("This file's first line is not that of verdicts; choose the table that the Cohort page gave.")
    found: dict[Key, Judged] = {}
    for number, line in enumerate(lines, 2):
        try:
            one = _judged(line.rstrip("\r").split("\t"))
        except ValueError as error:
            raise InputError(f"Line {number} of these verdicts cannot be read: {error}; repair it, or leave it out.") from None
        if one.key in found:
            raise InputError(f"Line {number} of these verdicts is of a cluster that a line before it is of; leave one out.")
        found[one.key] = one
    return list(found.values())


def of_study(judged: Sequence[Judged], contents: Mapping[str, str]) -> tuple[list[Judged], list[str]]:
    """Those of scans and methods that are here, and what is said of the others. contents: of each scan of the study."""
    kept: list[Judged] = []
    left_out: dict[str, list[str]] = {}
    for one in judged:
        if one.scan not in contents:
            left_out.setdefault("of scans that are not here", []).append(one.scan)
        elif one.content and contents[one.scan] not in ("", one.content):
            left_out.setdefault("of scans whose file is another now", []).append(one.scan)
        elif one.method not in scorers.SCORERS:
            left_out.setdefault("by methods that are not here", []).append(one.method)
        else:
            kept.append(one)
    return kept, [f"Left out {why}: {_named(names)}." for why, names in left_out.items()]


def _named(names: list[str]) -> str:
    return f"{len(names)} ({quoted(', '.join(sorted(set(names))), 200)})"


def _judged(parts: list[str]) -> Judged:
    """Raises ValueError, which says what is wrong."""
    if len(parts) != len(COLUMNS):
        raise ValueError(f"it has {len(parts)} cells where there are {len(COLUMNS)} columns")
    row = dict(zip(COLUMNS, ("" if part == UNKNOWN else part for part in parts), strict=True))
    for name, text in row.items():
        if len(text) > _MOST_SIGNS:
            raise ValueError(f"{name} has more than {_MOST_SIGNS} signs")
    if (said := row["verdict"]) not in ("", *VERDICTS):
        raise ValueError(f"its verdict is none of {', '.join(VERDICTS)}")
    i, j, k = (int(_number(row, f"voxel_{axis}")) for axis in "ijk")
    volume_ml, peak, threshold = (_number(row, name) for name in ("volume_ml", "peak", "threshold"))
    x, y, z = (_number(row, f"peak_{axis}") for axis in "xyz")
    atlas_mm = _number(row, "atlas_x"), _number(row, "atlas_y"), _number(row, "atlas_z")
    finding = Finding(Cluster(volume_ml, peak, (i, j, k), (x, y, z)), atlas_mm, Verdict(said, row["comment"]))
    return Judged(row["scan"], row["scan_sha256"], row["method"], row["checkpoint"], threshold, finding)


def _number(row: dict[str, str], name: str) -> float:
    try:
        value = float(row[name])
    except ValueError:
        value = math.nan
    if not abs(value) <= _LARGEST:
        raise ValueError(f"its {name} is no number")
    return value
