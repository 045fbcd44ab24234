"""Balls around small samples of healthy latents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pyod.models.inne import INNE

from vaead_core.detectors import Detector, register
from vaead_core.detectors.pyod_model import FittedPyod, fitted
from vaead_core.detectors.rows import healthy_rows
from vaead_core.scans.volume import Array


@register("inne")
@dataclass(frozen=True)
class NearestNeighbourEnsemble(Detector):
    """Healthy latents, `sample` of them at a time, each carry a ball that reaches to the nearest of the others; a row in
    no ball, or in one much larger than its neighbour's, is isolated: 0 to 1, a mean over `samples` draws (iNNE;
    Bandaragoda et al. 2018).
    """

    samples: int = 200
    sample: int = 8
    seed: int = 0
    title: ClassVar[str] = "INNE"

    def fit(self, rows: Array) -> FittedPyod:
        model = INNE(n_estimators=self.samples, max_samples=self.sample, random_state=self.seed)
        return fitted(model, healthy_rows(rows, self.sample, self.title))
