"""Where in the brain a method finds more or fewer lesions than their sizes and looks let expect."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vaead_core.pipeline.limits.table import Limits
from vaead_core.pipeline.scoring import PreparedScan
from vaead_core.scans.preprocessing import Preprocessor
from vaead_core.scans.volume import Array

KERNEL_MM = 15.0  # deviation of the Gaussian
LEAST_LESIONS = 10.0  # that an estimate rests on, counted as Kish has it
DRAWS = 999
_CERTAIN = 1.96  # standard errors of 95 %


@dataclass(frozen=True)
class ByPlace:
    """excess: (I, J, K) the share found, less what sizes and looks let expect: -1 to 1. error: its standard error.

    known: (I, J, K) bool, where it rests on LEAST_LESIONS or more. lesions: how many there are in all. chance: how often outcomes
    that know of no place differ as much between places, 0 to 1.
    """

    excess: Array
    error: Array
    known: Array
    lesions: int
    chance: float

    @property
    def certain_from(self) -> float:
        """What an excess must be beyond, at a usual place, for its 95 % interval to leave out 0; NaN where none is known."""
        return float(_CERTAIN * np.median(self.error[self.known])) if self.known.any() else float("nan")

    def sentence(self) -> str:
        """What the picture can bear."""
        if not self.known.any():
            return f"{self.lesions} lesions are too few to tell places apart."
        chance = "p < 0.002" if self.chance <= 1 / (DRAWS + 1) else f"p = {self.chance:.2g}"
        differ = "differ by more than chance" if self.chance < 0.05 else "do not differ by more than chance"
        return (
            f"By {self.lesions} lesions, places {differ} ({chance}); at one place, differences below "
            f"{100 * self.certain_from:.0f} percentage points are within chance."
        )


def in_scan(limits: Limits, prepared: PreparedScan, preprocessor: Preprocessor) -> ByPlace:
    """`by_place` in the scan that they are of, on the atlas grid."""
    inside = preprocessor.slice_grid.to_volume(prepared.slices.mask, prepared.slices) > 0
    return by_place(limits, inside, preprocessor.spacing_mm)


def by_place(limits: Limits, inside: Array, spacing_mm: float) -> ByPlace:
    """Of lesions on a grid of which `inside` (I, J, K) bool is the brain.

    e(x) = sum of w (y - p) / sum of w, w = exp(-d^2 / (2 KERNEL_MM^2)), d from x to a lesion's centre: kernel regression
    (Nadaraya 1964; Watson 1964) of residuals, y 1 where a lesion was found, p what the curve of its look foretells of its size.
    Its variance is the sum of w^2 p (1 - p) / (sum of w)^2, and it rests on (sum of w)^2 / (sum of w^2) lesions (Kish 1965).
    chance: of the mean square of e at the lesions, among DRAWS in which each is found with its p, whatever its place.
    """
    centres = np.array([one.lesion.centre for one in limits.outcomes], float).reshape(-1, 3)
    found = np.array([one.found for one in limits.outcomes], float)
    expected = foretold(limits)
    axes = [_kernel(size, at, spacing_mm) for size, at in zip(inside.shape, centres.T, strict=True)]

    def summed(values: Array, power: int = 1) -> Array:
        i, j, k = (axis**power for axis in axes)
        planes = (values[:, None, None] * i[:, :, None] * j[:, None, :]).reshape(len(values), i.shape[1] * j.shape[1])
        return (planes.T @ k).reshape(inside.shape)

    weight, square = summed(np.ones(len(found))), summed(np.ones(len(found)), 2)
    some = np.maximum(weight, 1e-12)
    known = inside & (weight**2 >= LEAST_LESIONS * square) & (weight > 1e-6)
    excess = np.where(known, summed(found - expected) / some, 0).astype(np.float32)
    error = np.where(known, np.sqrt(summed(expected * (1 - expected), 2)) / some, 0).astype(np.float32)
    return ByPlace(excess, error, known, len(found), _chance(centres * spacing_mm, found, expected))


def _kernel(size: int, at: Array, spacing_mm: float) -> Array:
    """(n, size): along one axis, of lesions whose centres lie `at` (n,) voxels."""
    return np.exp(-(((np.arange(size) - at[:, None]) * spacing_mm) ** 2) / 2 / KERNEL_MM**2)


def foretold(limits: Limits) -> Array:
    """(n,): P(found) of each lesion by its look and size alone."""
    expected = np.zeros(len(limits.outcomes))
    for look in {one.lesion.look for one in limits.outcomes}:
        these = np.array([one.lesion.look == look for one in limits.outcomes])
        curve = limits.curve(look)
        volumes_ml = np.array([one.lesion.volume_ml for one in limits.outcomes])[these]
        expected[these] = 0 if curve is None else curve.share(volumes_ml)
    return expected


def _chance(centres_mm: Array, found: Array, expected: Array) -> float:
    if not len(found):
        return 1.0
    away = ((centres_mm[:, None] - centres_mm) ** 2).sum(-1)
    weights = np.exp(-away / 2 / KERNEL_MM**2)
    weights /= weights.sum(1, keepdims=True)
    drawn = np.random.default_rng(0).random((DRAWS, len(found))) < expected
    residuals = np.concatenate([[found], drawn]) - expected
    spread = ((residuals @ weights.T) ** 2).mean(1)
    return float((spread >= spread[0] - 1e-12).mean())
