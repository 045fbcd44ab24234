"""How unlike each small patch is to those of healthy subjects near the same place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import ndimage

from vaead_core.inference.model import Memory, Model
from vaead_core.scans.volume import Array, Slices
from vaead_core.scorers import MapScorer, Needs, PixelScorer, register
from vaead_core.scorers.wrappers import Calibrated

MEMORY = "patch_novelty"
PATCH, REACH, NEAREST = 3, 2, 3  # pixels of its side; how far a patch is looked for; subjects


@dataclass(frozen=True)
class _Distance(PixelScorer):
    """Root mean square difference of a patch from its best match in each of the NEAREST subjects, their mean."""

    def score_map(self, model: Model, slices: Slices) -> Array:
        kept = model.memory[MEMORY]
        images, found = slices.pixels * slices.mask, np.zeros(slices.pixels.shape, np.float32)
        for number, (image, mask, position) in enumerate(zip(images, slices.mask, slices.position, strict=True)):
            subjects = kept["images"][kept["position"] == position]
            if mask.any() and len(subjects):
                found[number] = _distance(image, subjects, mask)
        return found


def _distance(image: Array, subjects: Array, mask: Array) -> Array:
    """(H, W) for an image (H, W) and those of subjects (S, H, W) at its position; computed in the mask's bounding box."""
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    around = np.pad(subjects, ((0, 0), (REACH, REACH), (REACH, REACH)), mode="edge")
    best = np.full((len(subjects), *image[box].shape), np.inf, np.float32)
    for down in range(2 * REACH + 1):
        for right in range(2 * REACH + 1):
            moved = around[:, down : down + image.shape[0], right : right + image.shape[1]]
            square = (image[box] - moved[:, *box]) ** 2
            np.minimum(best, ndimage.uniform_filter(square, (0, PATCH, PATCH), mode="nearest"), out=best)
    count = min(NEAREST, len(subjects))
    nearest = np.partition(best, count - 1, axis=0)[:count]
    found = np.zeros_like(image)
    found[box] = np.sqrt(np.maximum(nearest, 0)).mean(0)
    return found


_CALIBRATED = Calibrated(_Distance(), "patch_novelty")


@register("patch_novelty")
@dataclass(frozen=True)
class PatchNovelty(MapScorer):
    """Distance of the 3 × 3 patch about each pixel from the best match in the three most alike healthy training subjects,
    each looked for up to two pixels away, against that of healthy brains at the same atlas position (Coupé et al. 2011 compare
    patches so; the measure itself is ours)."""

    title: ClassVar[str] = "Patch novelty"
    unit: ClassVar[str] = "healthy deviations"
    trust: ClassVar[str] = "On painted lesions other than atrophy it lies above the voxel atlas, which keeps no scan."
    needs: ClassVar[Needs] = Needs(images="slices", memory=MEMORY, keeps_scans=True, calibrated=(_CALIBRATED,))

    @staticmethod
    def learn(model: Model, slices: Slices, depth: int) -> Memory:
        """The training slices themselves."""
        return {"images": slices.pixels * slices.mask, "position": slices.position.astype(np.float32)}

    def score_map(self, model: Model, slices: Slices) -> Array:
        return _CALIBRATED.score_map(model, slices)
