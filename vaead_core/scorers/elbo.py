"""The VAE's own bound on how likely an image is."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vaead_core.inference.model import Model, View
from vaead_core.scans.volume import Array, Slices
from vaead_core.scorers import AMONG_ITS_PLACE, ImageScorer, register


def divergence(view: View) -> Array:
    """(N,) KL(q(z | x) ‖ N(0, I)) in nats (Kingma & Welling 2014, appendix B)."""
    mean, log_variance = view.posterior.mean, view.posterior.log_variance
    return 0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance).sum(1)


@register("kl")
@dataclass(frozen=True)
class Divergence(ImageScorer):
    """KL divergence of the latent's posterior from the prior: how far from the usual an image lies in latent space
    (Zimmerer et al. 2019)."""

    title: ClassVar[str] = "KL divergence"
    unit: ClassVar[str] = "nats"
    trust: ClassVar[str] = AMONG_ITS_PLACE

    def score(self, model: Model, slices: Slices) -> Array:
        return model.value(slices, divergence)


@register("elbo")
@dataclass(frozen=True)
class NegativeElbo(ImageScorer):
    """Negative evidence lower bound: squared error in the brain, in units of the healthy residual's variance, plus the KL
    divergence; the VAE's own estimate of how unlikely an image is (Kingma & Welling 2014)."""

    title: ClassVar[str] = "Negative ELBO"
    unit: ClassVar[str] = "nats"
    trust: ClassVar[str] = AMONG_ITS_PLACE

    def score(self, model: Model, slices: Slices) -> Array:
        healthy = model.reference["residual"]
        variance = float(np.mean(healthy.mean**2 + healthy.deviation**2))

        def bound(view: View) -> Array:
            square = ((view.images - view.reconstruction) ** 2 * view.mask).sum((1, 2))
            return square / (2 * variance) + divergence(view)

        return model.value(slices, bound)
