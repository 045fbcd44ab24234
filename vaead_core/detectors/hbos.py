"""Histograms of single latents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vaead_core.detectors import Detector, register
from vaead_core.detectors.rows import as_scores, healthy_rows, query_rows
from vaead_core.scans.volume import Array


@dataclass(frozen=True)
class FittedHistograms:
    """edges: (L, bins + 1). rarity: (L, bins), −log2 of the bin's density. tolerance: in bin widths."""

    edges: Array
    rarity: Array
    tolerance: float

    def score(self, rows: Array) -> Array:
        total = np.zeros(len(rows))
        for edges, rarity, values in zip(self.edges, self.rarity, query_rows(rows).T, strict=True):
            inside = np.clip(np.digitize(values, edges, right=True) - 1, 0, len(rarity) - 1)
            slack = self.tolerance * (edges[1] - edges[0])
            outside = (values < edges[0] - slack) | (values > edges[-1] + slack)
            total += np.where(outside, rarity.max(), rarity[inside])
        return as_scores(total)


@register("hbos")
@dataclass(frozen=True)
class HistogramBased(Detector):
    """How low the bars of the healthy histograms are at the row's values: −log2 of the density, summed over latents
    (HBOS; Goldstein & Dengel 2012).

    alpha is added to every density. A value further than `tolerance` bins outside a histogram counts as its lowest bar.
    The same values as PyOD's, without its seconds of compilation.
    """

    bins: int = 10
    alpha: float = 0.1
    tolerance: float = 0.5
    title: ClassVar[str] = "HBOS"

    def fit(self, rows: Array) -> FittedHistograms:
        histograms = [np.histogram(column, self.bins, density=True) for column in healthy_rows(rows, 2, self.title).T]
        edges = np.stack([edges for _, edges in histograms])
        density = np.stack([density for density, _ in histograms])
        return FittedHistograms(edges, -np.log2(density + self.alpha), self.tolerance)
