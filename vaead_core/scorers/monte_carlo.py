"""Residual of many reconstructions instead of one."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vaead_core.inference.model import Model, View
from vaead_core.scans.volume import Array, Slices
from vaead_core.scorers import BELOW_THE_ATLAS, MapScorer, masked_to_brain, register


@register("monte_carlo_residual")
@dataclass(frozen=True)
class MonteCarloResidual(MapScorer):
    """Mean of |x − x̂| over reconstructions of latents drawn from the posterior: where the network is unsure, its one best
    guess counts less (Baur et al. 2021). The same draws for every image, so that a score repeats."""

    draws: int = 8
    seed: int = 0
    title: ClassVar[str] = "Monte-Carlo residual"
    unit: ClassVar[str] = "intensity"
    trust: ClassVar[str] = BELOW_THE_ATLAS

    def score_map(self, model: Model, slices: Slices) -> Array:
        def mean_residual(view: View) -> Array:
            mean, deviation = view.posterior.mean, np.exp(view.posterior.log_variance / 2)
            noise = np.random.default_rng(self.seed).standard_normal((self.draws, mean.shape[1]), np.float32)
            total = sum(np.abs(view.images - model.vae.decode(mean + deviation * one)) for one in noise)
            return total / self.draws

        return masked_to_brain(model.map(slices, mean_residual), slices)
