"""How rare a map's value is among healthy voxels: the one scale on which methods of different units compare."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vaead_core.checkpoints.calibration import ScorerCalibration
from vaead_core.scans.volume import Array

TOP_RARITY = 3.0
LEVELS = 301


@dataclass(frozen=True)
class Rarity:
    """levels: |value| at evenly spaced rarities from 0 to TOP_RARITY, rising. At rarity r, a share 10^-r of the healthy voxels
    scores at least as high.
    """

    levels: Array

    @staticmethod
    def of(healthy: ScorerCalibration) -> Rarity:
        """That of a method's maps."""
        found = [healthy.threshold(10.0**-rarity) for rarity in np.linspace(0, TOP_RARITY, LEVELS)]
        return Rarity(np.maximum.accumulate(found))

    def of_values(self, values: Array) -> Array:
        """Rarity of each |value|, at most TOP_RARITY.

        >>> Rarity(np.array([0.0, 1, 1, 4])).of_values(np.array([-0.5, 1, 2.5, 9])).tolist()
        [0.5, 2.0, 2.5, 3.0]
        """
        size, last = np.abs(values), len(self.levels) - 1
        passed = np.clip(np.searchsorted(self.levels, size, "right"), 1, last)
        low, high = self.levels[passed - 1], self.levels[passed]
        part = np.clip((size - low) / np.maximum(high - low, 1e-30), 0, 1)
        return (passed - 1 + part) * (TOP_RARITY / last)

    def said(self, threshold: float) -> str:
        """The share of healthy voxels above a threshold, in words.

        >>> rarity = Rarity(np.array([0.0, 1, 2, 4]))
        >>> rarity.said(1), rarity.said(5)
        ('10.0 %', 'under 0.1 %')
        """
        if threshold > self.levels[-1]:
            return f"under {to_percent(10.0**-TOP_RARITY)}"
        return to_percent(10.0 ** -float(self.of_values(np.array(threshold))))


def to_percent(share: float) -> str:
    """As the viewer writes it.

    >>> to_percent(0.0504), to_percent(0.0004), to_percent(0)
    ('5.0 %', '0.040 %', '0.0 %')
    """
    return f"{100 * share:.{3 if 0 < share < 0.001 else 1}f} %"
