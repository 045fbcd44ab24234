"""Synthetic healthy brains: SRI24 bent, recoloured and made noisy. Needs no data.

They stand in for a cohort where there is none. A model trained on them knows one brain's folds: it is a
demonstration, not a research model, and its card says so.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from types import EllipsisType

import numpy as np
from scipy import ndimage

from vaead_core.cohorts import Cohort, Subject
from vaead_core.scans import atlas
from vaead_core.scans.geometry import AffineToAtlas
from vaead_core.scans.registration import atlas_grid, to_atlas
from vaead_core.scans.volume import Array, Volume


def synthetic_cohort(count: int = 20, seed: int = 0) -> Cohort:
    """`count` brains; subject n of a seed is the same whatever the count. Ages are uniform in 20 to 80."""
    subjects = []
    for index in range(count):
        age = float(np.random.default_rng([seed, index, 1]).uniform(20, 80))
        name = f"synthetic-{seed:02d}-{index:03d}"
        subjects.append(Subject(name, name, round(age, 1), partial(synthetic_brain, seed, index, age)))
    return Cohort("synthetic", f"{count} synthetic brains made from SRI24 (seed {seed})", tuple(subjects))


def synthetic_brain(seed: int, index: int, age: float, spacing_mm: int = 2) -> Volume:
    """A brain on the atlas grid at `spacing_mm`, posed and scaled at random; intensities in an arbitrary unit.

    Ventricles and sulci widen with age: the velocity field has a part that flows away from CSF.
    """
    rng = np.random.default_rng([seed, index])
    grid = atlas_grid(spacing_mm)
    same = AffineToAtlas(np.eye(4))
    t1 = to_atlas(atlas.t1().data, atlas.t1(), same, grid)
    labels = to_atlas(atlas.tissues().astype(np.float32), atlas.t1(), same, grid, nearest=True)
    points = _posed(rng, labels.shape) + _displacement(rng, labels, age, spacing_mm)
    near = _near(labels > 0, points)  # all that follows is of the brain alone, a sixth of the grid
    t1 = _sampled(t1, points, near)
    soft = [_sampled((labels == tissue).astype(np.float32), points, near) for tissue in (1, 2, 3)]
    mask = ndimage.binary_opening(sum(soft) > 0.5)
    contrast = 1 + sum(share * rng.normal(0, 0.06) for share in soft)
    bias = np.exp(_smooth(rng, labels.shape, 35 / spacing_mm, 0.08, near))
    noise = rng.normal(0, 0.02 * t1[mask].mean(), labels.shape)
    brain = np.maximum(t1 * contrast * bias + noise, 1e-3 * t1[mask].mean()) * mask
    scale = rng.uniform(0.5, 4)
    made = Volume((brain * scale).astype(np.float32), grid.affine.copy(), f"synthetic-{seed:02d}-{index:03d}")
    return replace(made, brain=made.mask)


def exponential(velocity: Array, steps: int = 5) -> Array:
    """Displacement (3, I, J, K) in voxels of the diffeomorphism exp(velocity), by scaling and squaring.

    Arsigny et al. 2006, section 3.
    """
    identity = np.indices(velocity.shape[1:], np.float32)
    field = (velocity / 2**steps).astype(np.float32)
    for _ in range(steps):
        field = field + np.stack([ndimage.map_coordinates(part, identity + field, order=1, mode="nearest") for part in field])
    return field


def _near(inside: Array, points: Array) -> Array:
    """Where a point lies among voxels of which one is inside, and about it."""
    wide = np.pad(ndimage.binary_dilation(inside, np.ones((3, 3, 3))), 1)
    voxels = [np.rint(along).astype(int).clip(-1, size) + 1 for along, size in zip(points, inside.shape, strict=True)]
    return wide[tuple(voxels)]


def _sampled(values: Array, points: Array, where: Array | EllipsisType, order: int = 1) -> Array:
    """Between voxels, at the points (3, I, J, K) of `where`, ... for all; 0 elsewhere."""
    found = np.zeros(points.shape[1:], values.dtype)
    found[where] = ndimage.map_coordinates(values, points[:, where], order=order)
    return found


def _displacement(rng: np.random.Generator, labels: Array, age: float, spacing_mm: int) -> Array:
    """(3, I, J, K) voxels; made on every other voxel, which a field this smooth allows."""
    coarse = labels[::2, ::2, ::2]
    half = exponential(_velocity(rng, coarse.shape, 2 * spacing_mm) + _ageing(coarse, age, 2 * spacing_mm))
    points = np.indices(labels.shape, np.float32) / 2
    return 2 * np.stack([ndimage.map_coordinates(part, points, order=1, mode="nearest") for part in half])


def _velocity(rng: np.random.Generator, shape: tuple, spacing_mm: int) -> Array:
    """Smooth random flow: a coarse (24 mm) and a finer (10 mm) part, a few mm each."""
    coarse = [_smooth(rng, shape, 24 / spacing_mm, 3.0 / spacing_mm) for _ in range(3)]
    fine = [_smooth(rng, shape, 10 / spacing_mm, 1.2 / spacing_mm) for _ in range(3)]
    return np.stack(coarse) + np.stack(fine)


def _ageing(labels: Array, age: float, spacing_mm: int) -> Array:
    """Flow along the gradient of blurred CSF: sampling points move into CSF, so CSF takes up more room with age."""
    csf = ndimage.gaussian_filter((labels == atlas.CSF).astype(np.float32), 6 / spacing_mm)
    return np.stack(np.gradient(csf)) * (age - 45) / 35 * 12 / spacing_mm**2 * 4


def _smooth(rng: np.random.Generator, shape: tuple, sigma: float, spread: float, where: Array | EllipsisType = ...) -> Array:
    """Of mean 0 and about that spread, at `where`; 0 elsewhere."""
    coarse = rng.standard_normal([int(np.ceil(length / sigma)) + 3 for length in shape]).astype(np.float32)
    factors = [length / (size - 3) for length, size in zip(shape, coarse.shape, strict=True)]
    points = [np.arange(length) / factor + 1 for length, factor in zip(shape, factors, strict=True)]
    return spread * _sampled(coarse, np.stack(np.meshgrid(*points, indexing="ij")), where, order=3)


def _posed(rng: np.random.Generator, shape: tuple) -> Array:
    """Sampling points (3, I, J, K) of a random rotation (4°), scale (5 %) and shift (2 voxels) about the centre."""
    angles = rng.normal(0, np.deg2rad(4), 3)
    turn = np.eye(3)
    for axis, angle in enumerate(angles):
        a, b = [other for other in range(3) if other != axis]
        step = np.eye(3)
        step[a, a] = step[b, b] = np.cos(angle)
        step[a, b], step[b, a] = -np.sin(angle), np.sin(angle)
        turn = turn @ step
    matrix = turn @ np.diag(rng.normal(1, 0.04, 3).clip(0.9, 1.1))
    centre = (np.array(shape) - 1) / 2
    offset = centre - matrix @ centre + rng.normal(0, 1, 3)
    return np.tensordot(matrix, np.indices(shape, np.float32), 1) + offset[:, None, None, None]
