"""Distance to a few healthy latents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pyod.models.sampling import Sampling

from vaead_core.detectors import Detector, register
from vaead_core.detectors.pyod_model import FittedPyod, fitted
from vaead_core.detectors.rows import healthy_rows
from vaead_core.scans.volume import Array


@register("sampling")
@dataclass(frozen=True)
class NearestOfSample(Detector):
    """Distance to the nearest of a few healthy latents, drawn once (Sugiyama & Borgwardt 2013). With 20 of them the
    result depends much on the draw, `seed`.
    """

    subset: int = 20
    seed: int = 0
    title: ClassVar[str] = "Sampling"

    def fit(self, rows: Array) -> FittedPyod:
        return fitted(Sampling(subset_size=self.subset, random_state=self.seed), healthy_rows(rows, self.subset, self.title))
