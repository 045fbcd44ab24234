"""How far out in the tails of every latent a row lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vaead_core.detectors import Detector, register
from vaead_core.detectors.rows import as_scores, healthy_rows, query_rows
from vaead_core.scans.volume import Array


@dataclass(frozen=True)
class FittedTails:
    """ordered: (N, L), every column sorted."""

    ordered: Array

    def score(self, rows: Array) -> Array:
        total = np.zeros(len(rows))
        count = len(self.ordered)
        for column, values in zip(self.ordered.T, query_rows(rows).T, strict=True):
            below = np.searchsorted(column, values, side="right")
            above = count - np.searchsorted(column, values, side="left")
            total += np.log(count + 1) - np.log(np.minimum(below, above) + 1)
        return as_scores(total)


@register("ecod")
@dataclass(frozen=True)
class Ecod(Detector):
    """How rare the value of each latent is among the healthy ones: −log of the smaller empirical tail probability,
    summed over latents (ECOD; Li et al. 2022).

    The row itself counts as one more healthy latent, so no tail is empty: what PyOD gives for a row alone. PyOD mixes a
    whole batch into the distribution. The skewness rule of the paper never exceeds the rarer tail, which PyOD takes.
    """

    title: ClassVar[str] = "ECOD"

    def fit(self, rows: Array) -> FittedTails:
        return FittedTails(np.sort(healthy_rows(rows, 2, self.title), axis=0))
