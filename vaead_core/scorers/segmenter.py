"""A network that has seen synthetic anomalies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from scipy.special import expit

from vaead_core.inference.model import Model
from vaead_core.inference.reference import PlaceStatistics
from vaead_core.scans.volume import Array, Slices
from vaead_core.scorers import MapScorer, Needs, masked_to_brain, register
from vaead_core.scorers.wrappers import mirrored

NETWORK, PLANES = "segmenter", 5
_FAR = 6.0  # healthy deviations: further away is as strange


def planes(slices: Slices, intensity: PlaceStatistics) -> Array:
    """(N, PLANES, H, W) float32, all 0 outside the brain: what a segmenter sees of a slice.

    The image; its mirror image; how many thirds of a healthy deviation it is from the healthy mean at each place; that mean;
    the brain.
    """
    image = slices.pixels * slices.mask
    unusual = np.clip(intensity.z(slices.pixels, slices), -_FAR, _FAR) / 3
    stack = [image, mirrored(image), unusual * slices.mask, intensity.mean_of(slices) * slices.mask, slices.mask]
    return np.stack(stack, 1).astype(np.float32)


@register("segmenter")
@dataclass(frozen=True)
class Segmenter(MapScorer):
    """A U-Net trained to find synthetic anomalies (regions of random outline, recoloured, blurred, moved or taken from
    elsewhere) in healthy brains, that sees the slice, its mirror image and its distance from the healthy mean: how sure it is
    of such an anomaly, which is not the probability of a lesion (after Tan et al. 2021)."""

    title: ClassVar[str] = "Segmenter of synthetic anomalies"
    unit: ClassVar[str] = "certainty"
    trust: ClassVar[str] = (
        "Trust it for regions of a centimetre or more that differ clearly; faint and very small lesions escape it."
    )
    own_scale: ClassVar[Literal["spread", "odds"]] = "odds"
    needs: ClassVar[Needs] = Needs(companion=NETWORK)

    def score_map(self, model: Model, slices: Slices) -> Array:
        logits = model.companion_map(NETWORK, slices, lambda: planes(slices, model.reference["intensity"]))
        return masked_to_brain(expit(logits), slices)
