"""Folds over subjects, for values that must not have seen whom they are of."""

from collections.abc import Iterator

import numpy as np

from vaead_core.scans.volume import Array


def leave_out(subject: Array, most: int) -> Iterator[tuple[Array, Array]]:
    """(left out, others), (N,) bool each: rows of whole subjects (N,), in `most` folds or, where they are fewer, one a subject.

    Of a single subject both are all rows.

    >>> [left_out.tolist() for left_out, others in leave_out(np.array([1, 1, 2]), most=8)]
    [[True, True, False], [False, False, True]]
    """
    people = np.unique(subject)
    folds = min(most, len(people))
    for fold in range(folds):
        left_out = np.isin(subject, people[fold::folds])
        yield left_out, ~left_out if folds > 1 else left_out
