"""A scan on the Explore page, with its maps and where their thresholds stand."""

from __future__ import annotations

from dataclasses import dataclass

from pages.shared.cached.scans import OpenScan, OpenTruth
from vaead_core import scorers
from vaead_core.pipeline.scoring import Scored
from vaead_core.scans.volume import Array

FIRST_RATE = 0.05  # of healthy voxels above a threshold that nobody moved


@dataclass(frozen=True)
class Shown:
    """results: one a method. thresholds: by title, where the reader left them. truth: None where none is known."""

    scan: OpenScan
    results: list[Scored]
    thresholds: dict[str, float]
    truth: OpenTruth | None = None

    @property
    def marked(self) -> Array | None:
        """(I, J, K) bool: the truth on the scan's RAS+ grid."""
        return self.truth.marked if self.truth else None

    @property
    def titles(self) -> list[str]:
        return [scorers.SCORERS[one.name].title for one in self.results]

    def threshold(self, one: Scored) -> float:
        """Where the reader left it, else what FIRST_RATE of healthy voxels exceed."""
        return self.thresholds.get(scorers.SCORERS[one.name].title, one.thresholds[FIRST_RATE])
