"""Irregular outlines in three dimensions, and the atlas tissues that lesions lie in."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.random import Generator
from scipy import ndimage

from vaead_core.scans import atlas
from vaead_core.scans.registration import atlas_grid
from vaead_core.scans.volume import Array

ROUGHNESS = 0.35  # deviation of the outline's distance, as a share of the radius
EDGE_MM = 1.5  # over which a lesion fades


@lru_cache(maxsize=2)
def tissues(spacing_mm: int) -> Array:
    """(I, J, K) uint8 labels of SRI24's tissues on the atlas grid; read-only."""
    full = atlas.tissues()
    shape = atlas_grid(spacing_mm).shape
    found = full[::spacing_mm, ::spacing_mm, ::spacing_mm][: shape[0], : shape[1], : shape[2]]
    found = np.ascontiguousarray(found)
    found.setflags(write=False)
    return found


def centre_in(where: Array, rng: Generator) -> Array:
    """(3,) a random voxel of `where` (I, J, K) bool; ValueError where there is none."""
    places = np.argwhere(where)
    if not len(places):
        raise ValueError("no voxel to put a lesion in")
    return places[rng.integers(len(places))]


def distance_mm(shape: tuple[int, ...], centre: Array, spacing_mm: float) -> Array:
    """(I, J, K): millimetres from a voxel."""
    axes = np.ogrid[tuple(slice(0, size) for size in shape)]
    return spacing_mm * np.sqrt(sum((axis - at) ** 2 for axis, at in zip(axes, centre, strict=True)))


def blob(shape: tuple[int, ...], centre: Array, radius_mm: float, spacing_mm: float, rng: Generator) -> Array:
    """(I, J, K) float32 from 0 to 1: a ball of about `radius_mm`, its surface pushed in and out by noise, its edge soft."""
    noise = ndimage.gaussian_filter(rng.standard_normal(shape), radius_mm / spacing_mm / 2)
    noise *= ROUGHNESS * radius_mm / noise.std()
    inside_mm = radius_mm + noise - distance_mm(shape, centre, spacing_mm)
    return np.clip(0.5 + inside_mm / EDGE_MM / 2, 0, 1).astype(np.float32)
