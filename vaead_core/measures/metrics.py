"""How well a map or a score finds the truth: average precision and friends, always beside their chance level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vaead_core.scans.volume import Array

RESAMPLES = 10_000
RESAMPLED_GROUPS = 2_000
DRAWN_AT_ONCE = 100

Interval = tuple[float, float]


@dataclass(frozen=True)
class Detection:
    """ap beside prevalence, the AP of a map that knows nothing; auroc; best (oracle) Dice over all thresholds."""

    ap: float
    prevalence: float
    auroc: float
    best_dice: float


class Ranking:
    """Values (n,) sorted once, as `ordered`, so that many truths are scored at the price of their positives."""

    def __init__(self, values: Array) -> None:
        self.values = np.ravel(values)
        self.ordered = np.sort(self.values)

    def detection(self, truth: Array) -> Detection:
        """The values against `truth` (n,) bool; both kinds must occur, else ValueError.

        AP = Σ (Rₙ − Rₙ₋₁) Pₙ over the thresholds n, which is the mean over positives of the precision at their own value.
        """
        truth = np.ravel(truth)
        positives = np.sort(self.values[truth])
        count, total = len(positives), len(self.values)
        if not 0 < count < total:
            raise ValueError("average precision needs both anomalous and normal values")
        found = count - np.searchsorted(positives, positives, "left")  # positives at or above each positive's value
        marked = total - np.searchsorted(self.ordered, positives, "left")
        level = np.searchsorted(self.ordered, positives, "right") + marked - total
        equal = np.searchsorted(positives, positives, "right") + found - count
        normal_above_or_equal, normal_equal = marked - found, level - equal
        normal = total - count
        return Detection(
            float(np.mean(found / marked)), count / total,
            float(np.mean((normal - normal_above_or_equal + 0.5 * normal_equal) / normal)),
            float(np.max(2 * found / (marked + count))),
        )  # fmt: skip


def detection(values: Array, truth: Array) -> Detection:
    """`values` (n,) against `truth` (n,) bool; both kinds must occur, else ValueError.

    >>> found = detection(np.array([1, 2, 3, 4]), np.array([False, True, False, True]))
    >>> round(found.ap, 4), found.prevalence, found.auroc, found.best_dice  # AP: the mean of 1/1 and 2/3
    (0.8333, 0.5, 0.75, 0.8)
    """
    return Ranking(values).detection(truth)


def dice(marked: Array, truth: Array) -> float:
    """2 |A ∩ B| / (|A| + |B|) of two masks; 0 when both are empty.

    >>> dice(np.array([1, 2, 3, 4]) > 2.5, np.array([False, True, False, True]))
    0.5
    """
    return 2 * int((marked & truth).sum()) / max(1, int(marked.sum()) + int(truth.sum()))


def separation(anomalous: Array, normal: Array) -> Detection:
    """How well scores (A,) of anomalous images stand above those (B,) of normal ones; neither may be empty.

    >>> separation(np.array([3, 4]), np.array([1, 2])).auroc
    1.0
    """
    truth = np.repeat([True, False], [len(anomalous), len(normal)])
    return detection(np.concatenate([anomalous, normal]), truth)


def separation_intervals(anomalous: Array, normal: Array, level: float = 0.95, seed: int = 0) -> tuple[Interval, Interval]:
    """Percentile bootstrap intervals of the AUROC and AP of `separation`. Each group is drawn anew on its own, so that the
    prevalence stays what it is.

    >>> separation_intervals(np.array([3.0, 4]), np.array([1.0, 2]))
    ((1.0, 1.0), (1.0, 1.0))
    """
    rng = np.random.default_rng(seed)
    levels, ranks = np.unique(np.concatenate([anomalous, normal]), return_inverse=True)
    groups = ranks[: len(anomalous)], ranks[len(anomalous) :]
    sizes = np.repeat([len(anomalous), len(normal)], [len(anomalous), len(normal)])
    found = []
    for _ in range(RESAMPLED_GROUPS // DRAWN_AT_ONCE):
        first, second = np.split(rng.integers(sizes, size=(DRAWN_AT_ONCE, len(sizes))), [len(anomalous)], axis=1)
        found.append(_separations(groups[0][first], groups[1][second], len(levels)))
    ends = [(1 - level) / 2, (1 + level) / 2]
    auroc, ap = (np.quantile(np.concatenate(values), ends) for values in zip(*found, strict=True))
    return (float(auroc[0]), float(auroc[1])), (float(ap[0]), float(ap[1]))


def _separations(anomalous: Array, normal: Array, levels: int) -> tuple[Array, Array]:
    """AUROC and AP of `separation`, to the bit, of draws (D, A) and (D, B) at once; values are ranks below `levels`."""
    draw = np.arange(len(anomalous))[:, None] * levels
    positive, negative = (
        np.bincount(np.ravel(draw + one), minlength=draw.size * levels).reshape(draw.size, levels) for one in (anomalous, normal)
    )
    each = np.ravel(draw + np.sort(anomalous))  # of every positive the place in the counts
    found, above, equal = (
        np.ravel(counts)[each].reshape(anomalous.shape)
        for counts in (positive[:, ::-1].cumsum(1)[:, ::-1], negative[:, ::-1].cumsum(1)[:, ::-1], negative)
    )
    count = normal.shape[1]
    return np.mean((count - above + 0.5 * equal) / count, axis=1), np.mean(found / (found + above), axis=1)


def interval_over_subjects(
    values: Array, level: float = 0.95, seed: int = 0, weights: Array | None = None
) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean of `values` (S,), one a subject. NaN twice for fewer than two.

    Subjects are drawn, not slices or pixels: those of one subject are alike (Efron & Tibshirani 1993, chapter 13).
    weights: (S,) above 0, of each in the mean; the share of all that is so where `values` are the shares within subjects and
    `weights` how much each has.

    >>> interval_over_subjects(np.array([0.5, 0.5, 0.5])), interval_over_subjects(np.array([0.5]))
    ((0.5, 0.5), (nan, nan))
    >>> interval_over_subjects(np.array([0.0, 1.0]), level=0.2, weights=np.array([1, 3]))
    (0.75, 0.75)
    """
    if len(values) < 2:
        return float("nan"), float("nan")
    rows = np.random.default_rng(seed).integers(len(values), size=(RESAMPLES, len(values)))
    drawn = np.asarray(values, float)[rows]
    if weights is None:
        means = drawn.mean(1)
    else:
        each = np.asarray(weights, float)[rows]
        means = (drawn * each).sum(1) / each.sum(1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
