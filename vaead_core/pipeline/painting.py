"""One painted lesion where a reader wants it, as a toy is planted: its slices, its truth, what of it can be set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.random import Generator

from vaead_core.anomalies import lesions
from vaead_core.anomalies.lesions import Lesion
from vaead_core.anomalies.lesions.outlines import centre_in, tissues
from vaead_core.anomalies.toys import ToyCase
from vaead_core.anomalies.toys.placing import is_inside
from vaead_core.anomalies.toys.settings import Setting
from vaead_core.errors import InputError
from vaead_core.scans.preprocessing import Preprocessor
from vaead_core.scans.volume import Array, Brain, Slices

Voxel = tuple[int, int, int]
DRAWN = "drawn"  # the kind that has a path
LARGEST_MM = 25.0
LARGEST_CHANGE = 60.0  # percent of its own intensity


def settings(kind: str, spacing_mm: float) -> tuple[Setting, ...]:
    """What is offered of a kind: its radius and, where it has one, by how many percent its tissue gets brighter (or darker)."""
    lesion, radius = lesions.LESIONS[kind], lesions.LESIONS[kind].radii[-1]
    least = float(max(2, np.ceil(spacing_mm)))
    found = (Setting("radius_mm", float(getattr(lesion, radius)), least, LARGEST_MM, 1.0),)
    if not hasattr(lesion, "change"):
        return found
    return (*found, Setting("change_percent", 100 * lesion.change, -LARGEST_CHANGE, LARGEST_CHANGE, 5.0))


def built(kind: str, values: Mapping[str, float], path: tuple[Voxel, ...], spacing_mm: float) -> Lesion:
    """A lesion as it is set. values: of `settings`, its defaults for those left out. path: of one that is drawn; () for its
    centre alone."""
    wanted = {one.name: one.default for one in settings(kind, spacing_mm)} | dict(values)
    radius_mm = wanted.pop("radius_mm")
    drawn: dict[str, Any] = {"path": path} if kind == DRAWN and path else {}
    return lesions.sized(
        kind, radius_mm, **{name.removesuffix("_percent"): value / 100 for name, value in wanted.items()}, **drawn
    )


def paint(lesion: Lesion, centre: Voxel, seed: int, slices: Slices, preprocessor: Preprocessor, brain: Brain) -> ToyCase:
    """The lesion in `slices` of `brain`, which may hold others already.

    truth: where it is at least half itself and pixels changed; about it, they may have changed too.
    Raises InputError where its centre is not in the brain, or has no tissue about it in which it could lie.
    """
    grid, shape = preprocessor.slice_grid, brain.intensity.shape
    if not is_inside(slices, *grid.pixel_at(centre, slices)):
        raise InputError("A lesion must lie in the brain; click on a pixel inside it.")
    box = lesions.box_about(lesion, np.array(centre), brain.spacing_mm, shape)
    seen = grid.to_volume(slices.mask, slices)[box] > 0
    before = np.where(seen, grid.to_volume(slices.pixels, slices)[box], brain.intensity[box])
    cut = replace(brain, intensity=before.astype(np.float32), mask=brain.mask[box])
    start = np.array([side.start for side in box])
    labels = tissues(int(brain.spacing_mm))[box]
    case = lesion.paint_at(np.array(centre) - start, cut, labels, np.random.default_rng(seed))
    if not (case.truth & seen).any():
        raise InputError(f"{lesion.one}: there is no {lesion.tissue} here; click where there is.")
    moved = seen & (np.abs(case.brain.intensity - before) > 1e-6)  # not by rounding alone
    pixels = np.where(
        _on(moved, box, shape, slices, preprocessor), _on(case.brain.intensity, box, shape, slices, preprocessor), slices.pixels
    )
    return ToyCase(replace(slices, pixels=pixels.astype(np.float32)), _on(case.truth & moved, box, shape, slices, preprocessor))


def random_centre(kind: str, slices: Slices, preprocessor: Preprocessor, brain: Brain, rng: Generator) -> Voxel:
    """A voxel in which a lesion of its kind may have its centre. Raises InputError where there is none."""
    seen = preprocessor.slice_grid.to_volume(slices.mask, slices) > 0
    where = lesions.build(kind).places(brain, tissues(int(brain.spacing_mm))) & seen
    if not where.any():
        raise InputError(f"{lesions.LESIONS[kind].one}: this brain has no {lesions.LESIONS[kind].tissue} for it.")
    i, j, k = (int(at) for at in centre_in(where, rng))
    return i, j, k


def _on(part: Array, box: tuple[slice, ...], shape: tuple[int, ...], slices: Slices, preprocessor: Preprocessor) -> Array:
    """(N, H, W): what is in a box of the atlas grid, on the slices; 0 elsewhere."""
    volume = np.zeros(shape, part.dtype)
    volume[box] = part
    return preprocessor.slice_grid.on_slices(volume, slices)
