"""Lesions of stated sizes and looks painted into one brain, several at a time and well apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.random import Generator

from vaead_core.anomalies import lesions
from vaead_core.anomalies.lesions import Lesion
from vaead_core.anomalies.lesions.outlines import tissues
from vaead_core.pipeline.scoring import PreparedScan
from vaead_core.scans.preprocessing import Preprocessor
from vaead_core.scans.volume import Array, Slices
from vaead_core.scorers.wrappers import MIDLINE_PIXELS

EDGES_ML = (0.05, 0.2, 0.6, 2.0, 5.0, 10.0)
SIZES = tuple(f"{low:g} to {high:g} ml" for low, high in pairwise(EDGES_ML))
LOST = "tissue lost"
LOOKS = {"5 % darker": -0.05, "10 % darker": -0.1, "20 % darker": -0.2, "40 % darker": -0.4, LOST: None}  # look → change
KINDS = ("cortical", "mass", "white_matter")  # by turns in a look that has a change; LOST is atrophy
APART_MM = 20.0  # between two lesions of a scan
MIRROR_MM = 8.0  # between a lesion and the mirror image of another, which maps of left against right compare it with
REPEATS = 10  # lesions of a size and look
_RADII_MM = (1.5, 25.0)
_REPAINTED = 5  # times, with another radius, until a lesion has the size that is asked for
_PATIENCE = 6  # lesions that find no room before a scan counts as full
_TRIES = 8  # places in an empty brain before a lesion is left out
_PLACES = 20_000  # of a kind, spread evenly, among which a centre is drawn


@dataclass(frozen=True)
class Wanted:
    """A lesion to be painted. size: one of SIZES. volume_ml: in it, drawn evenly in its logarithm."""

    kind: str
    look: str
    size: str
    volume_ml: float

    @property
    def radius_mm(self) -> float:
        """Of a ball of its volume."""
        return float((3e3 * self.volume_ml / 4 / np.pi) ** (1 / 3))

    def is_met_by(self, volume_ml: float) -> bool:
        """Whether a lesion of so many ml has the size that is asked for."""
        at = SIZES.index(self.size)
        return EDGES_ML[at] <= volume_ml < EDGES_ML[at + 1]

    def nearer(self, radius_mm: float, volume_ml: float) -> float:
        """A radius that comes nearer, where one of `radius_mm` painted `volume_ml`; at most twice as long."""
        return float(radius_mm * (self.volume_ml / max(volume_ml, self.volume_ml / 8)) ** (1 / 3))


@dataclass(frozen=True)
class PaintedLesion:
    """A lesion as it was painted: voxels of its truth. centre: (i, j, k) on the atlas grid."""

    kind: str
    look: str
    volume_ml: float
    centre: tuple[int, int, int]
    reach_mm: float

    @property
    def size(self) -> str:
        """One of SIZES."""
        return SIZES[int(np.searchsorted(EDGES_ML, self.volume_ml, "right")) - 1]


@dataclass(frozen=True)
class LesionScan:
    """slices: of the brain with lesions in it. labels: (N, H, W) int, n in lesion n of `lesions`, counted from 1; else 0."""

    slices: Slices
    labels: Array
    lesions: tuple[PaintedLesion, ...]


def wanted(rng: Generator, repeats: int = REPEATS) -> list[Wanted]:
    """`repeats` lesions of every look and size; the largest of each repeat come first, as they need most room."""
    found = []
    for repeat in range(repeats):
        for size, (low, high) in reversed(list(zip(SIZES, pairwise(EDGES_ML), strict=True))):
            for number, look in enumerate(LOOKS):
                kind = "atrophy" if look == LOST else KINDS[(repeat + number) % len(KINDS)]
                found.append(Wanted(kind, look, size, float(np.exp(rng.uniform(np.log(low), np.log(high))))))
    return found


def lesion_scans(
    prepared: PreparedScan, preprocessor: Preprocessor, seed: int, repeats: int = REPEATS
) -> Iterator[tuple[LesionScan, int]]:
    """One scan after another until all that is wanted was painted, each with how many are then left.

    What finds no room in an empty brain is left out. The same brain and numbers give the same scans.
    """
    rng = np.random.default_rng(seed)
    pending, ground = wanted(rng, repeats), _Ground(prepared, preprocessor)
    while pending:
        bed = _Bed(ground)
        left: list[Wanted] = []
        for one in pending:
            if not bed.lesions:
                any(bed.plant(one, rng) for _ in range(_TRIES))  # what finds no room now finds none
            elif len(left) >= _PATIENCE or not bed.plant(one, rng):
                left.append(one)
        pending = left
        if bed.lesions:
            yield bed.scan, len(pending)


class _Ground:
    """What all scans are painted on."""

    def __init__(self, prepared: PreparedScan, preprocessor: Preprocessor) -> None:
        self.prepared, self.preprocessor = prepared, preprocessor
        brain, slices, grid = prepared.brain, prepared.slices, preprocessor.slice_grid
        self.labels = tissues(int(brain.spacing_mm))
        self.seen = grid.to_volume(slices.mask, slices) > 0
        places = {kind: lesions.build(kind).places(brain, self.labels) & self.seen for kind in (*KINDS, "atrophy")}
        self.places = {kind: _thinned(np.argwhere(where)) for kind, where in places.items()}
        first, _, _ = grid.voxel_at((0, 0, 0), slices)
        self.mirror = 2 * first + slices.pixels.shape[2] - 1 + round(2 * MIDLINE_PIXELS)  # i and mirror - i lie opposite


class _Bed:
    """A brain while lesions are painted into it."""

    def __init__(self, ground: _Ground) -> None:
        self.ground, self.brain = ground, ground.prepared.brain
        self.intensity = self.brain.intensity.copy()
        self.numbers = np.zeros(self.intensity.shape, np.int32)
        self.lesions: list[PaintedLesion] = []

    @property
    def scan(self) -> LesionScan:
        preprocessor = self.ground.preprocessor
        slices = preprocessor.to_slices(replace(self.brain, intensity=self.intensity))
        return LesionScan(slices, preprocessor.slice_grid.on_slices(self.numbers, slices), tuple(self.lesions))

    def plant(self, one: Wanted, rng: Generator) -> bool:
        """Whether it found room."""
        radius_mm = min(max(one.radius_mm, _RADII_MM[0]), _RADII_MM[1])
        places = self.ground.places[one.kind]
        free = places[self._room_mm(places) >= 1.3 * radius_mm]
        if not len(free):
            return False
        centre, outline = free[rng.integers(len(free))], int(rng.integers(2**32))
        for _ in range(_REPAINTED):
            lesion = built(one.kind, one.look, radius_mm)
            box = lesions.box_about(lesion, centre, self.brain.spacing_mm, self.intensity.shape)
            intensity, truth = self._painted(lesion, centre, box, outline)
            volume_ml = float(truth.sum()) * self.brain.spacing_mm**3 / 1000
            if one.is_met_by(volume_ml):
                return self._take(one, centre, box, intensity, truth, volume_ml)
            radius_mm = min(max(one.nearer(radius_mm, volume_ml), _RADII_MM[0]), _RADII_MM[1])
        return False

    def _painted(self, lesion: Lesion, centre: Array, box: tuple[slice, ...], outline: int) -> tuple[Array, Array]:
        """Intensity and truth of the box with the lesion in it."""
        cut = replace(self.brain, intensity=self.intensity[box], mask=self.brain.mask[box])
        start = [side.start for side in box]
        case = lesion.paint_at(centre - start, cut, self.ground.labels[box], np.random.default_rng(outline))
        moved = np.abs(case.brain.intensity - cut.intensity) > 1e-6  # not by rounding alone
        return np.where(moved, case.brain.intensity, cut.intensity), case.truth & self.ground.seen[box]

    def _take(self, one: Wanted, centre: Array, box: tuple[slice, ...], intensity: Array, truth: Array, volume_ml: float) -> bool:
        """Whether it lies apart from the others, as large as it came out; then it stays."""
        from_centre = np.argwhere(truth) + [side.start for side in box] - centre
        reach_mm = float(np.linalg.norm(from_centre, axis=1).max()) * self.brain.spacing_mm
        if self._room_mm(centre[None])[0] < reach_mm:
            return False
        self.intensity[box] = intensity
        i, j, k = (int(at) for at in centre)
        self.lesions.append(PaintedLesion(one.kind, one.look, volume_ml, (i, j, k), reach_mm))
        self.numbers[box][truth] = len(self.lesions)
        return True

    def _room_mm(self, places: Array) -> Array:
        """(P,): how far a lesion may reach from each of `places` (P, 3)."""
        room = np.full(len(places), np.inf)
        opposite = places * [-1, 1, 1] + [self.ground.mirror, 0, 0]
        for lesion in self.lesions:
            for seen, gap_mm in ((places, APART_MM), (opposite, MIRROR_MM)):
                away_mm = np.linalg.norm(seen - lesion.centre, axis=1) * self.brain.spacing_mm
                np.minimum(room, away_mm - lesion.reach_mm - gap_mm, out=room)
        return room


def built(kind: str, look: str, radius_mm: float) -> Lesion:
    """A kind of painted lesion of about a radius."""
    change = LOOKS[look]
    return lesions.sized(kind, radius_mm, **({} if change is None else {"change": change}))


def _thinned(places: Array) -> Array:
    return places[:: max(1, len(places) // _PLACES)]
