"""A detector on a model's latents: prepared, fitted to the healthy ones, with bounded threads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from vaead_core.detectors import FittedDetector, build
from vaead_core.detectors.nearby import FittedNearby
from vaead_core.detectors.preparation import FittedPreparation, LatentPreparation
from vaead_core.scans.volume import Array

WINDOW_ROWS = 250


@dataclass(frozen=True)
class LatentDetector:
    """Scores latents as they come from the encoder. fitted: one fit, or one a position."""

    preparation: FittedPreparation
    fitted: FittedDetector | FittedNearby
    threads: int

    def score(self, latents: Array, position: Array) -> Array:
        """(M,) float32 of latents (M, L) at positions (M,), higher = more abnormal."""
        _check(latents, position)
        with threadpool_limits(self.threads):
            rows = self.preparation.to_rows(latents, position)
            if isinstance(self.fitted, FittedNearby):
                return self.fitted.score(rows, position)
            return self.fitted.score(rows)

    def half_widths(self, position: Array) -> Array:
        """(M,) int: slices on either side whose healthy latents a row at each position is compared with.

        More than was asked for where a window had to grow. Raises ValueError for a detector without windows.
        """
        if not isinstance(self.fitted, FittedNearby):
            raise ValueError("this detector compares with healthy latents of all slices")
        return np.array([self.fitted.half_width(int(place)) for place in position], int)


def fit_latent_detector(
    name: str,
    latents: Array,
    position: Array,
    preparation: LatentPreparation = LatentPreparation(),  # noqa: B008  frozen
    nearby_slices: int | None = None,
    window_rows: int = WINDOW_ROWS,
    threads: int = 1,
    **settings: Any,
) -> LatentDetector:
    """The detector `name` with its `settings`, fitted to healthy latents (N, L) of axial positions (N,).

    nearby_slices: None fits it once, to all; a number fits it for each position to the slices at most so far away. Where
    these hold fewer than `window_rows` latents the window grows until it holds so many; `half_widths` tells how far.
    threads: bound on those of BLAS and OpenMP, in fitting and scoring; nothing else here starts any.

    Raises InputError for an unknown detector or too few latents.
    """
    _check(latents, position)
    detector = build(name, **settings)
    with threadpool_limits(threads):
        prepared = preparation.fit(latents, position)
        rows = prepared.to_rows(latents, position)
        if nearby_slices is None:
            return LatentDetector(prepared, detector.fit(rows), threads)
        return LatentDetector(
            prepared, FittedNearby(detector, rows, np.array(position, int), nearby_slices, window_rows), threads
        )


def _check(latents: Array, position: Array) -> None:
    if latents.ndim != 2 or position.shape != latents.shape[:1]:
        raise ValueError(f"latents {latents.shape} and positions {position.shape} disagree")
