"""Slices of a cohort's scans as they are prepared, and put together by subset: in memory, or on disk where that has no room.

On disk they are what they are in memory, float32 and bool, in files without a name, mapped into memory: what is trained and
published is the same wherever they lie. No one else sees such a file, and it is gone with its process, however that ends; a
training that is resumed prepares its scans again, and so writes them again.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Protocol

import numpy as np

from vaead_core.computing.machine import memory_left
from vaead_core.errors import CohortError
from vaead_core.scans.slice_grid import SliceGrid
from vaead_core.scans.volume import Array, Slices

MOST_OF_MEMORY = 0.5  # of what is left: the rest is the training's and the publishing's
PIXEL_BYTES, MASK_BYTES = 4, 1
AT_ONCE = 1 << 24  # bytes that go from file to file


class Gathered(Protocol):
    def add(self, slices: Slices) -> None:
        """Those of the next scan."""

    def together(self, scans: Sequence[int]) -> Slices:
        """Those of some scans, one after the other; scans are counted from 0 as they were added."""

    def close(self) -> None:
        """What was put together stays."""


class InMemory:
    """Slices that lie where they were made."""

    def __init__(self) -> None:
        self._scans: list[Slices] = []

    def add(self, slices: Slices) -> None:
        self._scans.append(slices)

    def together(self, scans: Sequence[int]) -> Slices:
        return Slices.concatenate([self._scans[scan] for scan in scans])

    def close(self) -> None:
        self._scans.clear()


@dataclass(frozen=True)
class _Stretch:
    """Of a file, the pixels of a scan from byte `start` on, then their masks. shape: (N, H, W). position: as of Slices."""

    start: int
    shape: tuple[int, ...]
    position: Array

    @property
    def pixels(self) -> tuple[int, int]:
        """The first byte and the one after the last."""
        return self.start, self.start + PIXEL_BYTES * int(np.prod(self.shape))

    @property
    def mask(self) -> tuple[int, int]:
        """As of pixels."""
        end = self.pixels[1]
        return end, end + MASK_BYTES * int(np.prod(self.shape))


class OnDisk:
    """Slices in files in `folder`. Raises CohortError where its disk is full."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._file = TemporaryFile(dir=folder)  # noqa: SIM115 - until this is closed
        self._scans: list[_Stretch] = []

    def add(self, slices: Slices) -> None:
        start = self._scans[-1].mask[1] if self._scans else 0
        self._file.seek(start)
        self._write(self._file, slices.pixels.astype(np.float32).tobytes())
        self._write(self._file, slices.mask.astype(np.bool_).tobytes())
        self._scans.append(_Stretch(start, slices.pixels.shape, slices.position))

    def together(self, scans: Sequence[int]) -> Slices:
        chosen = [self._scans[scan] for scan in scans]
        shape = (sum(scan.shape[0] for scan in chosen), *chosen[0].shape[1:])
        pixels = self._mapped([scan.pixels for scan in chosen], np.float32, shape)
        mask = self._mapped([scan.mask for scan in chosen], np.bool_, shape)
        return Slices(pixels, mask, np.concatenate([scan.position for scan in chosen]))

    def close(self) -> None:
        self._file.close()

    def _mapped(self, stretches: Sequence[tuple[int, int]], kind: type[np.generic], shape: tuple[int, ...]) -> Array:
        """An array of these bytes, one stretch after the other."""
        with TemporaryFile(dir=self._folder) as file:
            for first, end in stretches:
                self._file.seek(first)
                for start in range(first, end, AT_ONCE):
                    self._write(file, self._file.read(min(AT_ONCE, end - start)))
            return np.asarray(np.memmap(file, kind, "r+", shape=shape))  # shared: a copy on write could not outgrow memory

    def _write(self, file: IO[bytes], content: bytes) -> None:
        try:
            file.write(content)
            file.flush()  # what is written through a map ends the process where the disk is full
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise CohortError(
                f"Memory has no room for the slices of this cohort, and the disk of {self._folder} has none either; "
                "give an --out on another disk, or train on fewer scans or at 2 mm."
            ) from error


def gathering(scans: int, grid: SliceGrid, processes: int, folder: Path) -> Gathered:
    """For slices of so many scans, of which each of the processes holds its own: in memory where they fit into half of what is
    left, twice, as while they are put together; else in files in `folder`."""
    most = scans * grid.depth * grid.image_size**2 * (PIXEL_BYTES + MASK_BYTES)
    return InMemory() if 2 * most * processes <= MOST_OF_MEMORY * memory_left() else OnDisk(folder)
