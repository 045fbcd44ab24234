"""Histograms of random projections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vaead_core.detectors import Detector, register
from vaead_core.detectors.rows import as_scores, healthy_rows, query_rows
from vaead_core.scans.volume import Array

EMPTY = 1e-12


@dataclass(frozen=True)
class FittedProjections:
    """projections: (P, L). edges: (P, bins + 1). probability: (P, bins), of the bin among healthy latents."""

    projections: Array
    edges: Array
    probability: Array

    def score(self, rows: Array) -> Array:
        total = np.zeros(len(rows))
        for edges, probability, values in zip(self.edges, self.probability, self.projections @ query_rows(rows).T, strict=True):
            inside = (values >= edges[0]) & (values <= edges[-1])
            place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(probability) - 1)
            total -= np.log(np.where(inside, probability[place], 0) + EMPTY)
        return as_scores(total / len(self.edges))


@register("loda")
@dataclass(frozen=True)
class RandomProjections(Detector):
    """How improbable the row is on average in histograms of random sparse projections of the healthy latents (LODA;
    Pevný 2016).

    A projection weighs √L latents by normal numbers. A value outside a histogram is as improbable as an empty bar. PyOD
    looks up the bar beside the value's own.
    """

    projections: int = 100
    bins: int = 10
    seed: int = 0
    title: ClassVar[str] = "LODA"

    def fit(self, rows: Array) -> FittedProjections:
        healthy = healthy_rows(rows, 2, self.title)
        projections = sparse_projections(healthy.shape[1], self.projections, np.random.default_rng(self.seed))
        histograms = [np.histogram(values, self.bins) for values in projections @ healthy.T]
        edges = np.stack([edges for _, edges in histograms])
        return FittedProjections(projections, edges, np.stack([count for count, _ in histograms]) / len(healthy))


def sparse_projections(latents: int, count: int, rng: np.random.Generator) -> Array:
    """(count, latents), in each row √latents normal numbers, the rest 0. Pevný 2016."""
    kept = rng.random((count, latents)).argsort(1) < int(np.sqrt(latents))
    return np.where(kept, rng.standard_normal((count, latents)), 0)
