"""Toys planted one after another in a prepared scan; only the images that a toy changes are scored anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import Generator

from vaead_core import scorers
from vaead_core.anomalies import toys
from vaead_core.anomalies.toys import Place, Toy, ToyCase
from vaead_core.anomalies.toys.placing import place_at, random_place
from vaead_core.anomalies.toys.settings import Setting, size_of
from vaead_core.inference.model import Model
from vaead_core.measures.precision_recall import precision_recall
from vaead_core.scans.preprocessing import Preprocessor
from vaead_core.scans.volume import Array, Brain, Slices

Voxel = tuple[int, int, int]
ROOM_MM = 15.0  # radius of the disc that a random centre has brain for
SWEPT = 8  # values of a sweep
DARKEST = 1e-3  # of the brain's mean intensity: what a brain voxel shows at least, as 0 is the background


@dataclass(frozen=True)
class Planting:
    """One toy: its kind with its (field, value) settings, its centre (i, j, k) on the atlas grid, its outline's seed."""

    kind: str
    settings: tuple[tuple[str, Any], ...]
    centre: Voxel
    seed: int = 0

    @property
    def toy(self) -> Toy:
        """Raises InputError when the settings do not fit one another."""
        return toys.build(self.kind, **dict(self.settings))

    @property
    def size_mm(self) -> float:
        """How far it reaches to each side in a slice; of several shapes the first one."""
        found = dict(self.settings)[size_of(toys.TOYS[self.kind]).name]
        return float(found[0] if isinstance(found, tuple) else found)

    def with_setting(self, name: str, value: Any) -> Planting:
        """The same with one setting changed."""
        return replace(self, settings=tuple({**dict(self.settings), name: value}.items()))

    def with_size(self, size_mm: float, spacing_mm: float) -> Planting:
        """The same made larger or smaller, within what its kind can have; of several shapes all are, alike."""
        setting = size_of(toys.TOYS[self.kind], spacing_mm)
        before = dict(self.settings)[setting.name]
        if not setting.several:
            return self.with_setting(setting.name, setting.within(size_mm))
        return self.with_setting(setting.name, tuple(setting.within(one * size_mm / before[0]) for one in before))


def unplanted(slices: Slices) -> ToyCase:
    """The case without a toy."""
    return ToyCase(slices, np.zeros(slices.mask.shape, bool))


def placed(planting: Planting, slices: Slices, preprocessor: Preprocessor) -> Place:
    """Where the toy goes in `slices`. Raises InputError when its centre is not in the brain."""
    pixel = preprocessor.slice_grid.pixel_at(planting.centre, slices)
    return place_at(slices, *pixel, planting.toy.length_mm, preprocessor.spacing_mm)


def plant(planting: Planting, slices: Slices, preprocessor: Preprocessor) -> ToyCase:
    """The toy alone in `slices`. Raises InputError when its centre is not in the brain."""
    random = np.random.default_rng(planting.seed)
    return planting.toy.plant(slices, preprocessor.spacing_mm, random, placed(planting, slices, preprocessor))


def plant_another(case: ToyCase, planting: Planting, clean: Slices, preprocessor: Preprocessor) -> ToyCase:
    """The case with one toy more; its truth is where pixels differ from the `clean` slices."""
    slices = plant(planting, case.slices, preprocessor).slices
    return ToyCase(slices, slices.pixels != clean.pixels)


def random_centre(slices: Slices, preprocessor: Preprocessor, length_mm: float, rng: Generator) -> Voxel:
    """A centre with brain about it, ROOM_MM wide over `length_mm` of slices; the roomiest where there is none."""
    place = random_place(slices, ROOM_MM, length_mm, preprocessor.spacing_mm, rng)
    return preprocessor.slice_grid.voxel_at((place.first + place.count // 2, place.row, place.column), slices)


def rescored(maps: Array, name: str, model: Model, before: Slices, after: Slices) -> Array:
    """A scorer's `maps` of `before`, brought up to `after`: the images that differ are scored, the others kept."""
    changed = (before.pixels != after.pixels).any(axis=(1, 2))
    spliced = maps.copy()
    if changed.any():
        spliced[changed] = scorers.build_map(name).score_map(model, after[changed])
    return spliced


@dataclass(frozen=True)
class Sweep:
    """AP of scorers as one setting of a toy changes. values, chance: (V,); ap: scorer → (V,), NaN where nothing changed."""

    setting: Setting
    values: Array
    ap: dict[str, Array]
    chance: Array


def sweep(planting: Planting, setting: Setting, models: Mapping[str, Model], slices: Slices, preprocessor: Preprocessor) -> Sweep:
    """The toy alone in `slices`, with SWEPT values of `setting` from its lowest to its highest. models: a scorer's name → its."""
    values = np.linspace(setting.low or setting.high / SWEPT, setting.high, SWEPT)  # nothing is 0 mm large
    ap, chance = {name: np.full(SWEPT, np.nan) for name in models}, np.full(SWEPT, np.nan)
    for at, value in enumerate(values):
        case = plant(planting.with_setting(setting.name, float(value)), slices, preprocessor)
        held, truth = case.slices[case.planted], case.truth[case.planted]
        for name, model in models.items() if len(held) else ():
            maps = scorers.build_map(name).score_map(model, held)
            found = precision_recall(scorers.abnormality(name, maps), truth, held)
            if found:
                ap[name][at], chance[at] = found.detection.ap, found.detection.prevalence
    return Sweep(setting, values, ap, chance)


def to_intensity(slices: Slices, brain: Brain) -> Array:
    """(N, H, W) pixels in the scan's own intensities, above 0 in the brain and 0 outside it."""
    own = brain.scale.to_own(slices.pixels)
    return (np.maximum(own, DARKEST * brain.scale.to_own(np.zeros(1))) * slices.mask).astype(np.float32)
