"""How much a row adds to the dissimilarity of a growing set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vaead_core.detectors import Detector, register
from vaead_core.detectors.rows import as_scores, healthy_rows, query_rows, sampled
from vaead_core.errors import InputError
from vaead_core.scans.volume import Array


@dataclass(frozen=True)
class Spread:
    """Mean absolute deviation of all numbers of a set of rows, ready for rows to join. ordered, below: the numbers
    sorted, and their cumulative sum from 0.
    """

    ordered: Array
    below: Array

    @staticmethod
    def of(rows: Array) -> Spread:
        return Spread._ordered(np.sort(rows, axis=None))

    @staticmethod
    def growing(rows: Array, size: int) -> Iterator[Spread]:
        """Of the first `size` rows, of one more, and so on to all."""
        ordered = np.sort(rows[:size], axis=None)
        yield Spread._ordered(ordered)
        for row in np.sort(rows[size:], axis=1):
            ordered = np.insert(ordered, np.searchsorted(ordered, row), row)
            yield Spread._ordered(ordered)

    @staticmethod
    def _ordered(ordered: Array) -> Spread:
        return Spread(ordered, np.concatenate([[0.0], np.cumsum(ordered)]))

    def joined_by(self, rows: Array) -> Array:
        """(M,): the deviation once one of `rows` (M, L) has joined."""
        count = self.ordered.size + rows.shape[1]
        mean = (self.below[-1] + rows.sum(1)) / count
        place = np.searchsorted(self.ordered, mean)
        own = self.below[-1] - 2 * self.below[place] + mean * (2 * place - self.ordered.size)
        return (own + np.abs(rows - mean[:, None]).sum(1)) / count


@dataclass(frozen=True)
class FittedSequences:
    """reference: (R, L). orders: (iterations, R + 1) permutations, R standing for the row to be scored."""

    reference: Array
    orders: Array

    def score(self, rows: Array) -> Array:
        query = query_rows(rows)
        jumps, kept = np.zeros(len(query)), np.zeros(len(query))
        for order in self.orders:
            jump, left = self._exception(order, query)
            better = jump > jumps
            jumps[better], kept[better] = jump[better], left[better]
        return as_scores(jumps * kept)

    def _exception(self, order: Array, query: Array) -> tuple[Array, Array]:
        """What each row adds (0 unless it is an exception), and how many rows are none, both (M,)."""
        place = int(np.flatnonzero(order == len(self.reference))[0])
        others = self.reference[np.delete(order, place)]
        if place == 0:  # a set of one has nothing to compare with
            return np.zeros(len(query)), np.zeros(len(query))
        alone = np.array([spread_of(others[:size]) for size in range(1, place + 1)])
        steps = np.diff(alone)
        before = steps.max() if steps.size else -np.inf
        joined = [spread.joined_by(query) for spread in Spread.growing(others, place)]
        own = joined[0] - alone[-1]
        after = np.diff(joined, axis=0).max(0, initial=-np.inf)
        jump, kept = np.zeros(len(query)), np.zeros(len(query))
        first = (own > before) & (own > 0) & (own >= after)
        if first.any():
            jump[first] = own[first]
            kept[first] = len(others) - followers(others, place, query[first])
        later = (before >= own) & (before >= after) & (before > 0)
        if later.any():
            jump[later], kept[later] = self._following(others, int(np.argmax(steps)) + 1, before, query[later])
        return jump, kept

    def _following(self, others: Array, peak: int, step: float, query: Array) -> tuple[Array, Array]:
        """The same for rows that come after the exception others[peak], which added `step`."""
        without, including = Spread.of(others[:peak]), Spread.of(others[: peak + 1])
        healthy = without.joined_by(others[peak + 1 :]) - including.joined_by(others[peak + 1 :])
        own = without.joined_by(query) - including.joined_by(query)
        exceptions = 1 + np.count_nonzero(healthy >= 0) + (own >= 0)
        return np.where(own >= 0, own + step, 0), len(others) + 1 - exceptions


@register("lmdd")
@dataclass(frozen=True)
class LinearDeviation(Detector):
    """How much the row raises the mean absolute deviation when it joins a growing set of healthy latents, times the number
    of latents that do not; the largest over random orders (LMDD; Arning et al. 1996).

    What PyOD's algorithm gives the row among `reference` healthy latents (2 to 250, drawn by `seed`). PyOD compares a batch
    with itself instead and never looks at the healthy latents.
    """

    reference: int = 100
    orders: int = 50
    seed: int = 0
    title: ClassVar[str] = "LMDD"

    def fit(self, rows: Array) -> FittedSequences:
        if not 2 <= self.reference <= 250:
            raise InputError(f"LMDD compares with 2 to 250 healthy latents, not {self.reference}: its time grows by the square.")
        reference = sampled(healthy_rows(rows, 2, self.title), self.reference, self.seed)
        rng = np.random.default_rng(self.seed)
        return FittedSequences(reference, np.stack([rng.permutation(len(reference) + 1) for _ in range(self.orders)]))


def spread_of(rows: Array) -> float:
    """Mean absolute deviation of all numbers."""
    return float(np.abs(rows - rows.mean()).mean())


def followers(others: Array, place: int, query: Array) -> Array:
    """(M,): how many of others[place:] add less to others[:place] once the row is there than before."""
    base = Spread.of(others[:place])
    before = base.joined_by(others[place:])
    count = np.zeros(len(query), int)
    for other, was in zip(others[place:], before, strict=True):
        both = np.hstack([query, np.broadcast_to(other, query.shape)])
        count += was >= base.joined_by(both)
    return count
