"""How badly the encoder's features can be redrawn from fewer."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vaead_core.inference.model import Model, upsample
from vaead_core.scans.volume import Array, Slices
from vaead_core.scorers import BELOW_THE_ATLAS, MapScorer, Needs, masked_to_brain, register
from vaead_core.scorers.encoder_features import STAGES

NETWORK = "feature_autoencoder"


def planes(model: Model, slices: Slices) -> Array:
    """(N, C, h, w) on the grid of the first stage: its features, and each of the second stage's for the places it spans.

    The background is 0, as in training, whatever the preprocessor fills it with.
    """
    first, second = model.vae.features(slices.pixels * slices.mask, STAGES).values()
    times = first.shape[-1] // second.shape[-1]
    return np.concatenate([first, second.repeat(times, 2).repeat(times, 3)], 1)


@register("feature_reconstruction")
@dataclass(frozen=True)
class FeatureReconstruction(MapScorer):
    """Structural dissimilarity between features of the encoder's first two stages and what an autoencoder, trained on those
    of healthy brains, redraws of them (Meissen et al. 2022, there on features of a network trained on photographs)."""

    title: ClassVar[str] = "Feature reconstruction"
    unit: ClassVar[str] = "(1 − SSIM) / 2"
    trust: ClassVar[str] = BELOW_THE_ATLAS
    needs: ClassVar[Needs] = Needs(images="slices", companion=NETWORK)

    def score_map(self, model: Model, slices: Slices) -> Array:
        maps = model.companion_map(NETWORK, slices, lambda: planes(model, slices))
        return masked_to_brain(upsample(maps, slices.pixels.shape[-1]), slices)
