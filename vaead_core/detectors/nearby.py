"""A detector fitted anew for each position, to healthy latents of the slices around it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from vaead_core.detectors import Detector, FittedDetector
from vaead_core.errors import InputError
from vaead_core.scans.volume import Array


@dataclass(frozen=True)
class FittedNearby:
    """One fit a position, made when a row there is first scored and kept.

    healthy: (N, K). position: (N,). slices: half-width of the window. least: rows that a window must hold.
    """

    detector: Detector
    healthy: Array
    position: Array
    slices: int
    least: int
    fits: dict[int, FittedDetector] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.slices < 0:
            raise InputError(f"The window around a slice reaches 0 slices or more, not {self.slices}.")
        if len(self.healthy) < self.least:
            raise InputError(f"A window needs {self.least} healthy latents; there are {len(self.healthy)}. Use more subjects.")

    def half_width(self, place: int) -> int:
        """Slices on either side that the window at a position reaches: `slices`, or the fewest that hold `least` rows."""
        return max(self.slices, int(np.sort(np.abs(self.position - place))[self.least - 1]))

    def score(self, rows: Array, position: Array) -> Array:
        """(M,) float32; each row by the detector of its position."""
        scores = np.zeros(len(rows), np.float32)
        for place in np.unique(position):
            here = np.asarray(position) == place
            scores[here] = self._at(int(place)).score(rows[here])
        return scores

    def _at(self, place: int) -> FittedDetector:
        if place not in self.fits:
            window = np.abs(self.position - place) <= self.half_width(place)
            self.fits[place] = self.detector.fit(self.healthy[window])
        return self.fits[place]
