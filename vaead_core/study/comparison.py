"""Two groups of a study: how well each method's scan-level score tells the people of one from those of the other."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from vaead_core.errors import InputError
from vaead_core.measures.metrics import Detection, Interval, separation, separation_intervals
from vaead_core.study.group import UNKNOWN, GroupTable, column

LEAST = 5  # people a group, below which an interval says nothing


@dataclass(frozen=True)
class Separated:
    """first, second: a value a person, the mean of his scans. found: the first group's above the second's.

    auroc, ap: 95 % intervals over people; NaN where a group has fewer than LEAST.
    """

    method: str
    first: dict[str, float]
    second: dict[str, float]
    found: Detection
    auroc: Interval
    ap: Interval

    @property
    def few(self) -> bool:
        """Whether a group is too small for an interval."""
        return min(len(self.first), len(self.second)) < LEAST


def separated(table: GroupTable, by: str, first: str, second: str) -> list[Separated]:
    """Each method's, by two values of a column. Raises InputError where nobody of a group was scored."""
    found = []
    for method in table.methods:
        groups = _people(table, method, by, first), _people(table, method, by, second)
        for value, group in zip((first, second), groups, strict=True):
            if not group:
                raise InputError(f"No scan of {value} was scored; choose another group.")
        one, other = (np.array(list(group.values())) for group in groups)
        few = min(len(one), len(other)) < LEAST
        unknown = float("nan"), float("nan")
        auroc, ap = (unknown, unknown) if few else separation_intervals(one, other)
        found.append(Separated(method, *groups, separation(one, other), auroc, ap))
    return found


def _people(table: GroupTable, method: str, by: str, value: str) -> dict[str, float]:
    """Mean score of each one's scans."""
    scores: dict[str, list[float]] = defaultdict(list)
    for row in table.rows:
        if row.get(by) == value and (score := row.get(column(method, "score"), UNKNOWN)) != UNKNOWN:
            scores[row["participant_id"]].append(float(score))
    return {person: float(np.mean(values)) for person, values in scores.items()}
