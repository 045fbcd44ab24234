"""Where most of a map lies in one brain: the scale on which brains of different scanners are alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import expit, logit

from vaead_core.scans.volume import Array

_TRIMMED = 0.1  # at each end; of ten such middles the one that spread validation subjects least but for a quantile of 0.9
_SURE = 1e-7  # a certainty is not nearer to 0 or 1, as far as its log-odds go


@dataclass(frozen=True)
class Bulk:
    """Where most of a map lies in one brain, which a lesion hardly moves.

    middle: its median. spread: 1.4826 times the median distance from it, which is the standard deviation of a normal
    distribution (Rousseeuw and Croux 1993). odds: of a certainty: middle is the mean of its log-odds without the lowest and
    the highest tenth, by which it is rarer or more frequent in this scan altogether, and spread is 1 (Saerens et al. 2002).
    """

    middle: float
    spread: float
    odds: bool = False

    @staticmethod
    def of(values: Array, scale: Literal["spread", "odds"] = "spread") -> Bulk | None:
        """Of a map's values (n,) in a brain; None where more than half of them are the same, so that they have no spread.

        >>> Bulk.of(np.array([1.0, 2.0, 3.0, 90.0])), Bulk.of(np.array([0, 0, 1])), Bulk.of(np.array([0.5, 0.5, 0.5]), "odds")
        (Bulk(middle=2.5, spread=1.4826, odds=False), None, Bulk(middle=0.0, spread=1.0, odds=True))
        """
        if scale == "odds":
            ordered = np.sort(_log_odds(values))
            cut = int(_TRIMMED * ordered.size)
            return Bulk(float(ordered[cut : ordered.size - cut].mean()), 1.0, odds=True)
        middle = float(np.median(values))
        spread = 1.4826 * float(np.median(np.abs(values - middle)))
        return Bulk(middle, spread) if spread > 0 else None

    def scaled(self, values: Array) -> Array:
        """How many spreads above the middle."""
        return ((_log_odds(values) if self.odds else values) - self.middle) / self.spread

    def own(self, scaled: Array) -> Array:
        """The other way."""
        values = self.middle + self.spread * scaled
        return expit(values) if self.odds else values


def _log_odds(certainty: Array) -> Array:
    return logit(np.clip(certainty.astype(np.float64), _SURE, 1 - _SURE))
