"""Toys and painted lesions planted one after another in a prepared scan; only the images that one changes are scored anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import Generator

from vaead_core import scorers
from vaead_core.anomalies import lesions, toys
from vaead_core.anomalies.toys import Place, Toy, ToyCase
from vaead_core.anomalies.toys.placing import place_at, random_place
from vaead_core.anomalies.toys.settings import Setting, settings_of, size_of
from vaead_core.errors import InputError
from vaead_core.inference.model import Model
from vaead_core.measures.precision_recall import precision_recall
from vaead_core.pipeline import painting
from vaead_core.scans.preprocessing import Preprocessor
from vaead_core.scans.volume import Array, Brain, Slices

Voxel = painting.Voxel
DRAWN = painting.DRAWN
KINDS = (*sorted(toys.TOYS), *sorted(set(lesions.LESIONS) - {DRAWN}), DRAWN)
ROOM_MM = 15.0  # radius of the disc that a random centre has brain for
SWEPT = 8  # values of a sweep
DARKEST = 1e-3  # of the brain's mean intensity: what a brain voxel shows at least, as 0 is the background


def is_painted(kind: str) -> bool:
    """Whether it is a kind of painted lesion, which is a ball more or less, and no toy, which is a cylinder."""
    return kind in lesions.LESIONS


def name_of(kind: str) -> str:
    """What a reader calls one of a kind."""
    return lesions.LESIONS[kind].one if is_painted(kind) else toys.TOYS[kind].title


def help_text(kind: str) -> str:
    """What a kind is, in a sentence or two."""
    return lesions.help_text(kind) if is_painted(kind) else toys.help_text(kind)


def offered(kind: str, spacing_mm: float = 0.0) -> tuple[Setting, ...]:
    """What can be set of a kind. Raises KeyError for one that there is not."""
    return painting.settings(kind, spacing_mm) if is_painted(kind) else settings_of(toys.TOYS[kind], spacing_mm)


def size_setting(kind: str, spacing_mm: float = 0.0) -> Setting:
    """The one among them that says how far one reaches in a slice."""
    return painting.settings(kind, spacing_mm)[0] if is_painted(kind) else size_of(toys.TOYS[kind], spacing_mm)


@dataclass(frozen=True)
class Planting:
    """One toy or painted lesion: its kind with its (field, value) settings, its centre (i, j, k) on the atlas grid, its
    outline's seed. path: of one that is drawn, the voxels that the brush passed, counted from the centre; () for all others."""

    kind: str
    settings: tuple[tuple[str, Any], ...]
    centre: Voxel
    seed: int = 0
    path: tuple[Voxel, ...] = ()

    @property
    def toy(self) -> Toy:
        """Raises InputError when the settings do not fit one another."""
        return toys.build(self.kind, **dict(self.settings))

    @property
    def size_mm(self) -> float:
        """How far it reaches to each side in a slice; of several shapes the first one."""
        found = dict(self.settings)[size_setting(self.kind).name]
        return float(found[0] if isinstance(found, tuple) else found)

    def with_setting(self, name: str, value: Any) -> Planting:
        """The same with one setting changed."""
        return replace(self, settings=tuple({**dict(self.settings), name: value}.items()))

    def with_size(self, size_mm: float, spacing_mm: float) -> Planting:
        """The same made larger or smaller, within what its kind can have; of several shapes all are, alike."""
        setting = size_setting(self.kind, spacing_mm)
        before = dict(self.settings)[setting.name]
        if not setting.several:
            return self.with_setting(setting.name, setting.within(size_mm))
        return self.with_setting(setting.name, tuple(setting.within(one * size_mm / before[0]) for one in before))


def unplanted(slices: Slices) -> ToyCase:
    """The case without a toy."""
    return ToyCase(slices, np.zeros(slices.mask.shape, bool))


def placed(planting: Planting, slices: Slices, preprocessor: Preprocessor) -> Place:
    """Where a toy goes in `slices`. Raises InputError when its centre is not in the brain."""
    pixel = preprocessor.slice_grid.pixel_at(planting.centre, slices)
    return place_at(slices, *pixel, planting.toy.length_mm, preprocessor.spacing_mm)


def plant(planting: Planting, slices: Slices, preprocessor: Preprocessor, brain: Brain) -> ToyCase:
    """The toy or lesion in `slices` of `brain`. Raises InputError when its centre is not in the brain, or not in its tissue."""
    if is_painted(planting.kind):
        lesion = painting.built(planting.kind, dict(planting.settings), planting.path, preprocessor.spacing_mm)
        return painting.paint(lesion, planting.centre, planting.seed, slices, preprocessor, brain)
    random = np.random.default_rng(planting.seed)
    return planting.toy.plant(slices, preprocessor.spacing_mm, random, placed(planting, slices, preprocessor))


def plant_another(case: ToyCase, planting: Planting, preprocessor: Preprocessor, brain: Brain) -> ToyCase:
    """The case with one more; its truth is that of each."""
    another = plant(planting, case.slices, preprocessor, brain)
    return ToyCase(another.slices, case.truth | another.truth)


def random_centre(planting: Planting, case: ToyCase, preprocessor: Preprocessor, brain: Brain, rng: Generator) -> Voxel:
    """For a toy a centre with brain about it, ROOM_MM wide over its length of slices, the roomiest where there is none; for a
    painted lesion one in its tissue. Both keep off what is planted in `case`. Raises InputError where there is no such place.
    """
    slices = replace(case.slices, mask=case.slices.mask & ~case.truth)
    if is_painted(planting.kind):
        return painting.random_centre(planting.kind, slices, preprocessor, brain, rng)
    length_mm = dict(planting.settings)["length_mm"]
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


def sweep(
    planting: Planting, setting: Setting, models: Mapping[str, Model], slices: Slices, preprocessor: Preprocessor, brain: Brain
) -> Sweep:
    """The toy or lesion alone in `slices`, with SWEPT values of `setting` from its lowest to its highest; where it has no place
    there is no AP. models: a scorer's name → its."""
    values = np.linspace(setting.low or setting.high / SWEPT, setting.high, SWEPT)  # nothing is 0 mm large
    ap, chance = {name: np.full(SWEPT, np.nan) for name in models}, np.full(SWEPT, np.nan)
    for at, value in enumerate(values):
        try:
            case = plant(planting.with_setting(setting.name, float(value)), slices, preprocessor, brain)
        except InputError:
            continue
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
