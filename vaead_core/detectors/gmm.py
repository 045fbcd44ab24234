"""Density by a mixture of Gaussians."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pyod.models.gmm import GMM

from vaead_core.detectors import Detector, register
from vaead_core.detectors.pyod_model import FittedPyod, fitted
from vaead_core.detectors.rows import healthy_rows
from vaead_core.scans.volume import Array


@register("gmm")
@dataclass(frozen=True)
class GaussianMixture(Detector):
    """−log of the density of a mixture of Gaussians fitted to the healthy latents (Aggarwal 2015).

    components: 1 is a single Gaussian. regularisation: added to every variance, so that a component with few latents
    stays a full ellipse.
    """

    components: int = 4
    regularisation: float = 1e-3
    seed: int = 0
    title: ClassVar[str] = "GMM"

    def fit(self, rows: Array) -> FittedPyod:
        model = GMM(n_components=self.components, reg_covar=self.regularisation, random_state=self.seed)
        return fitted(model, healthy_rows(rows, 2 * self.components, self.title))
