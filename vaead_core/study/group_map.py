"""Two groups of a study on the atlas: the mean map of one minus that of the other. It describes; nothing is tested."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vaead_core.errors import InputError
from vaead_core.scans.registration import atlas_grid
from vaead_core.scans.volume import Array
from vaead_core.study.group import GroupTable, has_map
from vaead_core.study.on_atlas import SPACING_MM, OnAtlas, scan_on_atlas
from vaead_core.study.results import Results

LEAST_SHARE = 0.5  # of the people of each group whose brain covers a voxel that is shown


@dataclass(frozen=True)
class GroupMean:
    """mean: (I, J, K) float32 on the atlas grid, over those people whose brain covers a voxel. share: how many of all do."""

    mean: Array
    share: Array
    people: int


@dataclass(frozen=True)
class Difference(OnAtlas):
    """The first group's mean minus the second's. covered: at least LEAST_SHARE of each group's brains hold the voxel.

    people: of each group.
    """

    people: tuple[int, int]

    @property
    def nifti(self) -> bytes:
        """As a gzipped file in SRI24's space."""
        return self.to_nifti("mean difference", "difference of two groups' mean maps, not tested")


def group_difference(
    results: Results, table: GroupTable, method: str, by: str, first: str, second: str,
    content: Callable[[Path], bytes] | None = None,
) -> Difference:  # fmt: skip
    """Of a method's maps, by two values of a column of `table`; one map at a time is in memory. Raises InputError.

    content: reads a map's file, by itself as `results` does.
    """
    read = content or results.content
    one, other = (_mean_of(results, table, method, by, value, read) for value in (first, second))
    covered = (one.share >= LEAST_SHARE) & (other.share >= LEAST_SHARE)
    if not covered.any():
        raise InputError("No place of the atlas is covered by half of the brains of both groups; choose other groups.")
    return Difference(np.where(covered, one.mean - other.mean, np.float32(0)), covered, (one.people, other.people))


def _mean_of(
    results: Results, table: GroupTable, method: str, by: str, value: str, content: Callable[[Path], bytes]
) -> GroupMean:
    """Of all people of a group."""
    scans: dict[str, list[str]] = defaultdict(list)
    for row in table.rows:
        if row.get(by) == value and has_map(row, method):
            scans[row["participant_id"]].append(row["scan"])
    if not scans:
        raise InputError(f"No scan of {value} has a map by this method; choose another group or method.")
    total, count = _zeros(), _zeros()
    for names in scans.values():
        mean, covered = _mean(scan_on_atlas(results, name, method, content) for name in names)
        total += mean
        count += covered
    return GroupMean((total / np.maximum(count, 1)).astype(np.float32), count / len(scans), len(scans))


def _mean(maps: Iterable[OnAtlas]) -> tuple[Array, Array]:
    """Of one person's maps, where any of them covers; 0 elsewhere. (I, J, K) each."""
    total, count = _zeros(), _zeros()
    for one in maps:
        total += one.values
        count += one.covered
    return total / np.maximum(count, 1), count > 0


def _zeros() -> Array:
    return np.zeros(atlas_grid(SPACING_MM).shape)
