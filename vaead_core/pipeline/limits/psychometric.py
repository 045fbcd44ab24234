"""From which size on lesions are found: a logistic curve over the logarithm of their volume."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from vaead_core.scans.volume import Array

NOT_REACHED = "not reached"


@dataclass(frozen=True)
class Psychometric:
    """P(found) = 1 / (1 + exp(−intercept − slope ln(volume / ml))), by maximum likelihood (Finney 1971, Probit Analysis, with
    the logistic curve). smallest_ml, largest_ml: of the lesions that it was fitted to; beyond them it says nothing.

    Where all or none were found there is no slope, and the intercept is infinite.
    """

    intercept: float
    slope: float
    smallest_ml: float
    largest_ml: float

    @staticmethod
    def of(volumes_ml: Array, found: Array) -> Psychometric | None:
        """Fitted to lesions of volumes (n,), each found or not, (n,) bool; None where there is no lesion.

        >>> Psychometric.of(np.array([0.1, 1.0, 2.0]), np.array([True, True, True])).said(0.5)
        'below 0.1 ml'
        >>> Psychometric.of(np.array([0.1, 1.0, 2.0]), np.array([False, False, False])).said(0.5)
        'not reached'
        """
        if not len(volumes_ml):
            return None
        ends = float(volumes_ml.min()), float(volumes_ml.max())
        if found.all() or not found.any():
            return Psychometric(np.inf if found.all() else -np.inf, 0.0, *ends)
        from sklearn.linear_model import LogisticRegression  # for those who measure: the app opens without it

        fit = LogisticRegression(C=np.inf, tol=1e-6, max_iter=1000).fit(np.log(volumes_ml)[:, None], found)
        return Psychometric(float(fit.intercept_[0]), float(fit.coef_[0, 0]), *ends)

    def share(self, volumes_ml: Array) -> Array:
        """P(found) of lesions of volumes (n,), as far as the curve goes: beyond its ends as at them.

        >>> Psychometric(0.0, 1.0, 0.1, 4.0).share(np.array([1.0, 4.0, 9.0])).tolist()
        [0.5, 0.8, 0.8]
        """
        return expit(self.intercept + self.slope * np.log(np.clip(volumes_ml, self.smallest_ml, self.largest_ml)))

    def size_ml(self, share: float) -> float | None:
        """The volume of which a share (0 to 1) is found; None where lesions of both sides of it were not painted."""
        size = self._size_ml(share)
        return size if self.smallest_ml <= size <= self.largest_ml else None

    def said(self, share: float) -> str:
        """The same in words."""
        size = self._size_ml(share)
        if size < self.smallest_ml:
            return f"below {self.smallest_ml:.2g} ml"
        return NOT_REACHED if size > self.largest_ml else f"{size:.2g} ml"

    def _size_ml(self, share: float) -> float:
        """Infinite where it is not reached, 0 where every size has passed it."""
        if self.slope <= 0:
            return 0.0 if self.intercept == np.inf else np.inf
        exponent = (np.log(share / (1 - share)) - self.intercept) / self.slope
        return float(np.exp(np.clip(exponent, -700, 700)))


def interval(found: int, count: int, level: float = 0.95) -> tuple[float, float]:
    """Of a share, `found` of `count`: the score interval of Wilson (1927). 0 and 1 where nothing was counted.

    >>> [round(end, 3) for end in interval(8, 10)], interval(0, 0)
    ([0.49, 0.943], (0.0, 1.0))
    """
    if not count:
        return 0.0, 1.0
    from scipy.stats import binomtest  # half a second of import that a page which measures nothing need not wait

    low, high = binomtest(found, count).proportion_ci(level, "wilson")
    return float(low), float(high)
