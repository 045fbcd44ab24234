"""What the encoder makes of each place of a slice, compared with healthy training brains: PaDiM and PatchCore."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import ndimage

from vaead_core.inference.model import Memory, Model, upsample
from vaead_core.scans.volume import Array, Slices
from vaead_core.scorers import BELOW_THE_ATLAS, MapScorer, Needs, masked_to_brain, register

PADIM, PATCHCORE = "padim", "patchcore"  # memories
STAGES = ("stage1", "stage2")
COMPONENTS = 8  # of the features, for PaDiM
RIDGE = 0.1  # of the mean variance, added to each covariance: a place is known from few brains
CORESET, DRAWN, NEAREST = 1000, 20_000, 3


def features(model: Model, slices: Slices) -> Array:
    """(N, h, w, C) float32 on the grid of the second stage: the first stage's features pooled to it, and its own."""
    first, second = model.vae.features(slices.pixels, STAGES).values()
    size = first.shape[-1] // second.shape[-1]
    count, _, height, width = second.shape
    pooled = first.reshape(count, first.shape[1], height, size, width, size).mean((3, 5))
    return np.concatenate([pooled, second], 1).transpose(0, 2, 3, 1)


def brain_at(slices: Slices, height: int) -> Array:
    """(N, h, h) bool: places of that grid that are at least half brain."""
    size = slices.mask.shape[-1] // height
    return slices.mask.reshape(len(slices), height, size, height, size).mean((2, 4)) >= 0.5


@register("padim")
@dataclass(frozen=True)
class PaDiM(MapScorer):
    """Mahalanobis distance of the encoder's features from those of healthy training brains at the same place of the atlas
    (Defard et al. 2021, there on features of a network trained on photographs)."""

    title: ClassVar[str] = "PaDiM on encoder features"
    unit: ClassVar[str] = "Mahalanobis distance"
    trust: ClassVar[str] = BELOW_THE_ATLAS
    needs: ClassVar[Needs] = Needs(images="slices", memory=PADIM)

    @staticmethod
    def learn(model: Model, slices: Slices, depth: int) -> Memory:
        """A projection to COMPONENTS, and means of these and of their products at each place, smoothed over neighbours."""
        values = features(model, slices)
        mean = values.reshape(-1, values.shape[-1]).mean(0)
        chosen = (values - mean)[brain_at(slices, values.shape[1])]
        _, vectors = np.linalg.eigh(chosen.T @ chosen)
        projection = vectors[:, -COMPONENTS:]
        rows = (values - mean) @ projection
        weight = brain_at(slices, values.shape[1])[..., None].astype(np.float32)
        total = _at_places(weight, slices.position, depth)
        centre = _at_places(rows * weight, slices.position, depth) / np.maximum(total, 1e-3)
        first, second = np.triu_indices(COMPONENTS)
        products = rows[..., first] * rows[..., second]
        product = _at_places(products * weight, slices.position, depth) / np.maximum(total, 1e-3)
        return {"mean": mean, "projection": projection, "centre": centre[::2], "product": product[::2]}

    def score_map(self, model: Model, slices: Slices) -> Array:
        kept = model.memory[PADIM]
        rows = (features(model, slices) - kept["mean"]) @ kept["projection"]
        at = np.clip(slices.position // 2, 0, len(kept["centre"]) - 1)
        centre = kept["centre"][at]
        first, second = np.triu_indices(COMPONENTS)
        covariance = np.zeros((*centre.shape, COMPONENTS), np.float32)
        covariance[..., first, second] = covariance[..., second, first] = kept["product"][at]
        covariance -= centre[..., :, None] * centre[..., None, :]
        usual = np.trace(covariance, axis1=-2, axis2=-1)[..., None, None] / COMPONENTS
        covariance += (RIDGE * np.maximum(usual, 1e-6) + 1e-6) * np.eye(COMPONENTS)
        away = rows - centre
        distance = np.einsum("...i,...i->...", away, np.linalg.solve(covariance, away[..., None])[..., 0])
        return masked_to_brain(upsample(np.sqrt(np.maximum(distance, 0)), slices.pixels.shape[-1]), slices)


def _at_places(values: Array, position: Array, depth: int) -> Array:
    """(K, h, w, D) sums of values (N, h, w, D) by position, smoothed by a Gaussian of one place and one slice."""
    total = np.zeros((depth, *values.shape[1:]), np.float32)
    np.add.at(total, position, values)
    width = 1.0 if depth > 1 else 0.0
    return ndimage.gaussian_filter(total, (width, 1, 1, 0))


@register("patchcore")
@dataclass(frozen=True)
class PatchCore(MapScorer):
    """Mean distance of the encoder's features to the nearest of a thousand kept from healthy training brains, wherever they
    lay in the brain (Roth et al. 2022, there on features of a network trained on photographs)."""

    title: ClassVar[str] = "PatchCore on encoder features"
    unit: ClassVar[str] = "distance in feature deviations"
    trust: ClassVar[str] = BELOW_THE_ATLAS
    needs: ClassVar[Needs] = Needs(images="slices", memory=PATCHCORE)

    @staticmethod
    def learn(model: Model, slices: Slices, depth: int) -> Memory:
        """CORESET features by greedy selection of the farthest one (Sener & Savarese 2018) among DRAWN, and their scale."""
        values = features(model, slices)
        rows = values[brain_at(slices, values.shape[1])]
        rng = np.random.default_rng(0)
        rows = rows[rng.permutation(len(rows))[:DRAWN]]
        scale = np.maximum(rows.std(0), 1e-6)
        return {"scale": scale, "coreset": _farthest(rows / scale, CORESET)}

    def score_map(self, model: Model, slices: Slices) -> Array:
        kept = model.memory[PATCHCORE]
        values = features(model, slices)
        rows = (values / kept["scale"]).reshape(-1, values.shape[-1])
        coreset = kept["coreset"]
        square = (rows**2).sum(1)[:, None] - 2 * rows @ coreset.T + (coreset**2).sum(1)
        nearest = np.partition(square, min(NEAREST, len(coreset)) - 1, axis=1)[:, :NEAREST]
        distance = np.sqrt(np.maximum(nearest, 0)).mean(1).reshape(values.shape[:3])
        return masked_to_brain(upsample(distance, slices.pixels.shape[-1]), slices)


def _farthest(rows: Array, count: int) -> Array:
    """`count` rows, each the farthest from those before it, from the first on."""
    chosen = [0]
    distance = ((rows - rows[0]) ** 2).sum(1)
    for _ in range(min(count, len(rows)) - 1):
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, ((rows - rows[chosen[-1]]) ** 2).sum(1))
    return rows[chosen]
