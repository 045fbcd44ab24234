"""Where a toy fits, and how painted values enter the pixels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator
from scipy import ndimage

from vaead_core.anomalies.toys import Place, ToyCase
from vaead_core.errors import InputError
from vaead_core.scans.volume import Array, Slices


def place_at(slices: Slices, image: int, row: int, column: int, length_mm: float, spacing_mm: float) -> Place:
    """The place around a clicked pixel: as many of the `length_mm` of slices about it as the scan has.

    Raises InputError when the pixel is not in the brain.
    """
    if not is_inside(slices, image, row, column):
        raise InputError("A toy anomaly must lie in the brain; click on a pixel inside it.")
    count = _count(slices, length_mm, spacing_mm)
    return Place(int(np.clip(image - count // 2, 0, len(slices) - count)), count, row, column)


def is_inside(slices: Slices, image: int, row: int, column: int) -> bool:
    """Whether a pixel is there and in the brain."""
    depth, height, width = slices.mask.shape
    return 0 <= image < depth and 0 <= row < height and 0 <= column < width and bool(slices.mask[image, row, column])


def random_place(
    slices: Slices, radius_mm: float, length_mm: float, spacing_mm: float, rng: Generator, taken: Array | None = None
) -> Place:
    """A place at which a disc of `radius_mm` lies inside the brain on every slice, all such places equally likely.

    taken: (H, W) bool, pixels it must keep off. Where nothing so large fits, the roomiest place of a random run of slices.
    """
    count = _count(slices, length_mm, spacing_mm)
    firsts = rng.permutation(len(slices) - count + 1)
    rooms = [(first, _room(slices, first, count, taken)) for first in firsts[:1]]
    for first in firsts[1:]:
        if rooms[-1][1].max() * spacing_mm > radius_mm:
            break
        rooms.append((first, _room(slices, first, count, taken)))
    first, room = max(rooms, key=lambda item: item[1].max())
    rows, columns = np.nonzero(room * spacing_mm > min(radius_mm, 0.999 * room.max() * spacing_mm))
    if len(rows) == 0:
        raise InputError("There is no room for the toy anomaly in this brain; make it smaller.")
    choice = rng.integers(len(rows))
    return Place(int(first), count, int(rows[choice]), int(columns[choice]))


def paint(slices: Slices, place: Place, weight: Array, value: Array) -> ToyCase:
    """Pixels of the brain become (1 − weight)·x + weight·value on the place's slices; weight, value: (H, W)."""
    pixels, truth = slices.pixels.copy(), np.zeros(slices.mask.shape, bool)
    run = slice(place.first, place.first + place.count)
    mixed = ((1 - weight) * pixels[run] + weight * value).astype(np.float32)
    truth[run] = slices.mask[run] & (mixed != pixels[run])
    pixels[truth] = mixed[truth[run]]
    return ToyCase(replace(slices, pixels=pixels), truth)


def distance_mm(slices: Slices, place: Place, spacing_mm: float) -> tuple[Array, Array]:
    """Distance (mm) and angle (radians) of every pixel (H, W) from the place's centre."""
    rows, columns = np.indices(slices.mask.shape[1:])
    down, right = (rows - place.row) * spacing_mm, (columns - place.column) * spacing_mm
    return np.hypot(down, right), np.arctan2(down, right)


def _count(slices: Slices, length_mm: float, spacing_mm: float) -> int:
    return min(len(slices), max(1, round(length_mm / spacing_mm)))


def _room(slices: Slices, first: int, count: int, taken: Array | None) -> Array:
    """(H, W) pixels of distance to the nearest pixel that is not brain on some slice of the run, or is taken."""
    free = slices.mask[first : first + count].all(axis=0)
    free = free if taken is None else free & ~taken
    return ndimage.distance_transform_edt(np.pad(free, 1))[1:-1, 1:-1]
