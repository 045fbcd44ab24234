"""Where a brain may lie that is turned, shifted or not whole: a search over rotations, shifts and sizes.

For each rotation and size the correlation of scan and atlas is had by Fourier transforms for all shifts at once that lay the
atlas brain's centre into the scan's brain or close beside it
(normalised cross-correlation within a mask; Padfield 2012, doi 10.1109/TIP.2011.2181402). Only the scan's field of view
counts, so that an atlas that reaches beyond it, where the brain is cut off, costs nothing.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from nibabel.affines import apply_affine, from_matvec
from scipy import fft, ndimage
from scipy.spatial.transform import Rotation

from vaead_core.computing.machine import threads
from vaead_core.scans import atlas
from vaead_core.scans.geometry import AffineToAtlas, Grid
from vaead_core.scans.registration.resampling import to_atlas
from vaead_core.scans.volume import Array, Volume

_SPACING_MM = 10.0
_STEP_DEGREES = 30.0  # between neighbours on the grid of rotations; each lies within 26° of one
_APART_DEGREES = 25.0  # between what counts as two candidates
_CANDIDATES = 8
_SIZES = (0.85, 0.92, 1.0, 1.09, 1.18)  # of the scan's brain, by its volume
_BESIDE = 2  # voxels of _SPACING_MM from the scan's brain to the centre of a whole one: half of it must be there
_REACH_MM = 105.0  # from the atlas brain's centre to its farthest voxel, and a margin
_ATLAS_STEP = 4  # voxels of 1 mm; the blurred atlas has nothing finer, and is read faster
_LEAST_VARIANCE = 1e-3


@dataclass(frozen=True)
class _Pose:
    """An atlas brain laid into the scan's world: turned, so many times as large, its centre at a place in mm."""

    fit: float
    turn: Rotation
    size: float
    centre: Array

    @property
    def matrix(self) -> Array:
        """(4, 4) from the scan's world to the atlas's."""
        turned = self.size * self.turn.as_matrix()
        return np.linalg.inv(from_matvec(turned, self.centre - turned @ _atlas().centre))


def candidates(scan: Volume) -> list[Array]:
    """Ways (4, 4) to the atlas, each within some degrees of a good place, the best first."""
    field = _Field(scan)
    size = field.size_by_volume
    with ThreadPoolExecutor(threads()) as pool:  # the same poses on any number of threads

        def shifted(ways: list[tuple[Rotation, float]]) -> list[_Pose]:
            return list(pool.map(lambda way: field.best_shift(*way), ways))

        found = _apart(shifted([(turn, size) for turn in _all_turns()]))
        for degrees in (_STEP_DEGREES / 2, _STEP_DEGREES / 4):
            found = [max(shifted([(turn * one.turn, one.size) for turn in _near(degrees)]), key=_fit) for one in found]
            found = [max(shifted([(one.turn, size * factor) for factor in _SIZES]), key=_fit) for one in found]
    return [pose.matrix for pose in _apart(found)]


class _Field:
    """The scan about its brain, at _SPACING_MM, and the Fourier transforms that its correlations need."""

    def __init__(self, scan: Volume) -> None:
        within = apply_affine(scan.affine, np.argwhere(scan.mask))
        low, high = within.min(0), within.max(0)
        shape = (np.ceil((high - low) / _SPACING_MM) + 3).astype(int)
        self.first = (low + high) / 2 - _SPACING_MM * (shape - 1) / 2  # the world place of its first voxel
        grid = Grid((shape[0], shape[1], shape[2]), from_matvec(np.eye(3) * _SPACING_MM, self.first))
        smooth = Volume(_smoothed(scan), scan.affine)
        values = to_atlas(smooth.data, smooth, AffineToAtlas(np.eye(4)), grid)
        inside = to_atlas(np.ones(scan.data.shape, np.float32), scan, AffineToAtlas(np.eye(4)), grid)
        volume_mm3 = scan.mask.sum() * abs(np.linalg.det(scan.affine[:3, :3]))
        self.size_by_volume = float(np.clip(np.cbrt(volume_mm3 / atlas.brain_mask().sum()), 0.8, 1.15))
        self.count = inside.sum()
        farthest = _reach(self.size_by_volume * max(_SIZES)) + _BESIDE
        self.padded = [fft.next_fast_len(int(length) + farthest, real=True) for length in shape]
        self.centres = [np.arange(-_BESIDE, length + _BESIDE) for length in shape]  # of the atlas's brain, voxels from the first
        centred = (values - (values * inside).sum() / self.count) * inside
        self.values = self._spectrum(centred / np.sqrt((centred**2).sum() / self.count))
        self.inside = self._spectrum(inside)

    def best_shift(self, turn: Rotation, size: float) -> _Pose:
        """The atlas so turned and sized, where it correlates best with the scan."""
        reach = _reach(size)
        brain = _atlas().turned(turn, size, reach)
        spectrum = fft.rfftn(brain, self.padded)
        # The transforms go round; they are just so large that only other shifts than these fall on each other.
        places = np.ix_(*[(reach - centres) % length for centres, length in zip(self.centres, self.padded, strict=True)])

        def correlated(spectrum: Array, with_scan: Array) -> Array:
            return fft.irfftn(spectrum * with_scan, self.padded)[places]

        products, sums = correlated(spectrum, self.values), correlated(spectrum, self.inside)
        squares = correlated(fft.rfftn(brain * brain, self.padded), self.inside)
        spread = np.maximum(squares - sums * sums / self.count, _LEAST_VARIANCE * squares.max())
        fits = products / np.sqrt(spread * self.count)
        best = np.unravel_index(fits.argmax(), fits.shape)
        centre = np.array([centres[at] for centres, at in zip(self.centres, best, strict=True)])
        return _Pose(float(fits[best]), turn, size, self.first + _SPACING_MM * centre)

    def _spectrum(self, values: Array) -> Array:
        """What another one is multiplied with to be correlated with these."""
        return fft.rfftn(values.astype(np.float32), self.padded).conj()


@dataclass(frozen=True)
class _SmoothAtlas:
    """values: (I, J, K) float32. affine: (4, 4) their indices to SRI24's world mm. centre: of its brain, there."""

    values: Array
    affine: Array
    centre: Array

    def turned(self, turn: Rotation, size: float, reach: int) -> Array:
        """(2 · reach + 1,) * 3 at _SPACING_MM, about the brain's centre, turned and `size` times as large."""
        voxels = np.linalg.inv(self.affine)
        step = voxels[:3, :3] @ turn.as_matrix().T * (_SPACING_MM / size)
        first = apply_affine(voxels, self.centre) - step @ np.full(3, reach)
        return ndimage.affine_transform(self.values, step, first, (2 * reach + 1,) * 3, order=1)


@lru_cache(maxsize=1)
def _atlas() -> _SmoothAtlas:
    full = atlas.t1()
    centre = apply_affine(full.affine, np.argwhere(atlas.brain_mask()).mean(0))
    fewer = _smoothed(full)[::_ATLAS_STEP, ::_ATLAS_STEP, ::_ATLAS_STEP]
    return _SmoothAtlas(np.ascontiguousarray(fewer), full.affine @ np.diag([*[_ATLAS_STEP] * 3, 1]), centre)


def _reach(size: float) -> int:
    """Voxels of _SPACING_MM from the centre of a brain so many times the atlas's to its farthest."""
    return int(np.ceil(_REACH_MM * size / _SPACING_MM))


def _smoothed(scan: Volume) -> Array:
    """Its tissue, blurred to what _SPACING_MM can hold."""
    return ndimage.gaussian_filter(scan.tissue, _SPACING_MM / 2.355 / scan.spacing_mm)


@lru_cache(maxsize=1)
def _all_turns() -> list[Rotation]:
    """The 24 turns of a cube, and their neighbours."""
    return [near * turn for turn in Rotation.create_group("O") for near in _near(_STEP_DEGREES)]


def _near(degrees: float) -> list[Rotation]:
    """No turn, and by `degrees` about each axis, to either side, and all of these together: 27."""
    steps = np.stack(np.meshgrid(*[[-degrees, 0, degrees]] * 3, indexing="ij"), -1).reshape(-1, 3)
    return list(Rotation.from_rotvec(steps, degrees=True))


def _apart(poses: list[_Pose]) -> list[_Pose]:
    """The best of them, none close to a better one."""
    kept: list[_Pose] = []
    for pose in sorted(poses, key=_fit, reverse=True):
        if all((pose.turn * other.turn.inv()).magnitude() > np.deg2rad(_APART_DEGREES) for other in kept):
            kept.append(pose)
        if len(kept) == _CANDIDATES:
            break
    return kept


def _fit(pose: _Pose) -> float:
    return pose.fit
