"""Heads made around a brain that is known: fluid, skull, scalp, neck, face and eyes, in noisy or empty air."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy import ndimage

from vaead_core.scans.volume import Volume

_ROOM_MM = (44, 60, 36)  # on each side of the brain's array, and 24 mm more in front than behind
_SHELLS_MM = {3: 0.25, 9: 0.08, 16: 1.3}  # to this distance from the brain, so bright beside its white matter


def head_around(brain: Volume, air: Literal["noise", "zero"] = "noise", body: bool = True) -> tuple[Volume, np.ndarray]:
    """A head off the middle of its field of view, and the brain's mask in it. body: with neck, face and eyes."""
    spacing = brain.spacing_mm
    room = np.round(np.array(_ROOM_MM) / spacing).astype(int)
    off = np.round(12 / spacing).astype(int)
    affine = brain.affine.copy()
    affine[:3, 3] -= affine[:3, :3] @ (room - off)
    data, mask = (np.pad(held, np.stack([room - off, room + off], 1)) for held in (brain.tissue, brain.mask))
    bright = np.percentile(data[mask], 90)
    away_mm = ndimage.distance_transform_edt(~mask, sampling=spacing)
    tissue = np.select([away_mm <= mm for mm in _SHELLS_MM], list(_SHELLS_MM.values()), 0.0)
    if body:
        tissue = np.where(~mask & (away_mm > 3), np.maximum(tissue, _body(mask, spacing)), tissue)
    tissue = ndimage.gaussian_filter(tissue * bright, 0.5)
    noise = np.random.default_rng(0).normal(0, 0.02 * bright, data.shape)
    whole = np.abs(np.where(mask, data, tissue) + noise)
    if air == "zero":
        whole = np.where(ndimage.binary_fill_holes(mask | (tissue > 0.02 * bright)), whole, 0)
    return Volume(whole.astype(np.float32), affine, "head"), mask


def _body(mask: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """Neck and face below the brain, eyes in front of it, as brightness beside white matter."""
    inside = np.argwhere(mask)
    centre, low, high = inside.mean(0), inside.min(0), inside.max(0)
    places = np.moveaxis(np.indices(mask.shape), 0, -1)
    x, y, z = np.moveaxis((places - [*centre[:2], low[2]]) * spacing, -1, 0)
    front_mm = (high[1] - centre[1]) * spacing[1]
    neck = (x / 60) ** 2 + ((y + 20) / 60) ** 2 < 1
    face = (x / 65) ** 2 + ((y - 50) / 55) ** 2 < 1
    eyes = (np.abs(x) - 32) ** 2 + (y - front_mm + 5) ** 2 + (z - 25) ** 2 < 12**2
    muscle = 0.6 * (1 + 0.3 * np.sin(y / 7)) * ((neck & (z < 30)) | (face & (z < 20)))
    return np.where(eyes, 0.15, muscle)
