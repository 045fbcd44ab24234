"""Two groups of a study on the atlas: the mean map of one minus that of the other. It describes; nothing is tested."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage

from vaead_core.errors import InputError
from vaead_core.scans.geometry import AffineToAtlas, Grid
from vaead_core.scans.nifti import Said, map_to_nifti, read_nifti
from vaead_core.scans.registration import atlas_grid, to_atlas
from vaead_core.scans.volume import Array, Volume
from vaead_core.study.group import UNKNOWN, GroupTable, column
from vaead_core.study.results import Results

SPACING_MM = 2  # of the atlas grid: the maps of most models are no finer
LEAST_SHARE = 0.5  # of the people of each group whose brain covers a voxel that is shown


@dataclass(frozen=True)
class GroupMean:
    """mean: (I, J, K) float32 on the atlas grid, over those people whose brain covers a voxel. share: how many of all do."""

    mean: Array
    share: Array
    people: int


@dataclass(frozen=True)
class Difference:
    """values: (I, J, K) float32 on the atlas grid, the first group's mean minus the second's; 0 where not `covered`.

    covered: (I, J, K) bool: at least LEAST_SHARE of each group's brains hold the voxel. people: of each group.
    """

    values: Array
    covered: Array
    people: tuple[int, int]

    @property
    def grid(self) -> Grid:
        """Where they lie."""
        return atlas_grid(SPACING_MM)

    @property
    def covered_ml(self) -> float:
        """How much that is of the atlas."""
        return float(self.covered.sum()) * SPACING_MM**3 / 1000

    @property
    def nifti(self) -> bytes:
        """As a gzipped file in SRI24's space."""
        said = Said("estimate", "mean difference", "vaead: difference of two groups' mean maps, not tested")
        return map_to_nifti(self.values, Volume(self.values, self.grid.affine), np.float32, said)


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
        if row.get(by) == value and row.get(column(method, "volume"), UNKNOWN) != UNKNOWN:
            scans[row["participant_id"]].append(row["scan"])
    if not scans:
        raise InputError(f"No scan of {value} has a map by this method; choose another group or method.")
    total, count = _zeros(), _zeros()
    for names in scans.values():
        mean, covered = _mean(_on_atlas(results, name, method, content) for name in names)
        total += mean
        count += covered
    return GroupMean((total / np.maximum(count, 1)).astype(np.float32), count / len(scans), len(scans))


def _mean(maps: Iterable[tuple[Array, Array]]) -> tuple[Array, Array]:
    """Of one person's maps, where any of them covers; 0 elsewhere. (I, J, K) each."""
    total, count = _zeros(), _zeros()
    for values, covered in maps:
        total += values
        count += covered
    return total / np.maximum(count, 1), count > 0


def _on_atlas(results: Results, name: str, method: str, content: Callable[[Path], bytes]) -> tuple[Array, Array]:
    """A scan's map on the atlas grid, 0 where it does not cover it; and where it does."""
    scan = results.scan(name)
    file = results.map_file(scan, method)
    return brought(read_nifti(content(file), file.name, constant=True), results.transform(scan))


def brought(found: Volume, transform: AffineToAtlas) -> tuple[Array, Array]:
    """A map, which is 0 outside of the brain, on the atlas grid, and where the brain covers that. Its edge is not mixed with
    the 0 beside it."""
    inside = ndimage.binary_fill_holes(found.data != 0).astype(np.float32)
    values, share = (to_atlas(part, found, transform, atlas_grid(SPACING_MM)) for part in (found.data, inside))
    covered = share > 0.5
    return np.where(covered, values / np.where(covered, share, 1), 0), covered


def _zeros() -> Array:
    return np.zeros(atlas_grid(SPACING_MM).shape)
