"""Structural similarity of image and reconstruction, and its contrast term."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import ndimage

from vaead_core.inference.model import Model, View
from vaead_core.scans.volume import Array, Slices
from vaead_core.scorers import BELOW_THE_ATLAS, MapScorer, masked_to_brain, register

WINDOWS = (5, 9, 15)  # pixels; the loss is their mean
_C1, _C2 = (0.01 * 2) ** 2, (0.03 * 2) ** 2  # for images in [-1, 1]


@register("ssim")
@dataclass(frozen=True)
class StructuralDissimilarity(MapScorer):
    """1 − SSIM of image and reconstruction, mean over windows of three sizes within the brain: sees lost structure where
    the intensities alone agree (Wang et al. 2004; Bergmann et al. 2019 for anomalies)."""

    title: ClassVar[str] = "Structural dissimilarity"
    unit: ClassVar[str] = "1 − SSIM"
    trust: ClassVar[str] = BELOW_THE_ATLAS

    def score_map(self, model: Model, slices: Slices) -> Array:
        return masked_to_brain(model.map(slices, lambda view: _over_windows(view, _dissimilarity)), slices)


@register("ssim_contrast")
@dataclass(frozen=True)
class ContrastDissimilarity(MapScorer):
    """1 − the contrast term of SSIM, (2 σx σx̂ + C) / (σx² + σx̂² + C), mean over windows of three sizes within the brain:
    the network redraws less, or more, texture than there is (Huijben et al. 2024)."""

    title: ClassVar[str] = "Contrast dissimilarity"
    unit: ClassVar[str] = "1 − contrast"
    trust: ClassVar[str] = BELOW_THE_ATLAS

    def score_map(self, model: Model, slices: Slices) -> Array:
        return masked_to_brain(model.map(slices, lambda view: _over_windows(view, _contrast_loss)), slices)


@dataclass(frozen=True)
class _Moments:
    """(N, H, W) each: means, deviations and covariance of image and reconstruction in a window about each pixel."""

    mean: Array
    other_mean: Array
    deviation: Array
    other_deviation: Array
    covariance: Array


def _over_windows(view: View, loss) -> Array:
    return np.mean([loss(_moments(view, window)) for window in WINDOWS], axis=0)


def _moments(view: View, window: int) -> _Moments:
    """Over the brain's pixels of each window."""
    mask = view.mask.astype(np.float32)
    weight = np.maximum(_sum(mask, window), 1e-6)

    def mean(values: Array) -> Array:
        return _sum(values * mask, window) / weight

    image, other = view.images, view.reconstruction
    first, second = mean(image), mean(other)

    def deviation(values: Array, average: Array) -> Array:
        return np.sqrt(np.maximum(mean(values**2) - average**2, 0))

    return _Moments(first, second, deviation(image, first), deviation(other, second), mean(image * other) - first * second)


def _sum(values: Array, window: int) -> Array:
    return ndimage.uniform_filter(values.astype(np.float32), (0, window, window), mode="constant")


def _dissimilarity(of: _Moments) -> Array:
    luminance = (2 * of.mean * of.other_mean + _C1) / (of.mean**2 + of.other_mean**2 + _C1)
    structure = (2 * of.covariance + _C2) / (of.deviation**2 + of.other_deviation**2 + _C2)
    return 1 - luminance * structure


def _contrast_loss(of: _Moments) -> Array:
    return 1 - (2 * of.deviation * of.other_deviation + _C2) / (of.deviation**2 + of.other_deviation**2 + _C2)
