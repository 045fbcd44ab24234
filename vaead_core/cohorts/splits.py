"""Subjects split into training, validation and test before anything else happens to them."""

from dataclasses import dataclass

import numpy as np

from vaead_core.cohorts import Subject
from vaead_core.errors import CohortError

SHARES = (0.7, 0.2, 0.1)


@dataclass(frozen=True)
class Split:
    """Subjects of each part; no participant is in two."""

    train: tuple[Subject, ...]
    validation: tuple[Subject, ...]
    test: tuple[Subject, ...]


def split_subjects(subjects: tuple[Subject, ...], seed: int = 0) -> Split:
    """70/20/10 by participant, seeded, stratified by age. Raises CohortError for fewer than 3 participants.

    Participants are sorted by age (unknown ages last, in seeded order) and dealt so that each part is spread
    evenly over the sorted list: at every prefix each part holds its share to within one. Those who are told to be
    no controls train alone: no threshold comes of them, and the other parts keep their sizes as far as controls go.
    """
    others = {subject.participant for subject in subjects if subject.control is False}
    ages = {subject.participant: subject.age for subject in subjects if subject.participant not in others}
    if len(ages) + min(1, len(others)) < 3:
        raise CohortError(f"Training needs at least 3 healthy subjects (one each to train, choose and test); found {len(ages)}.")
    jitter = np.random.default_rng(seed).permutation(len(ages))
    ranked = sorted(zip(ages, jitter, strict=True), key=lambda item: (_decade(ages[item[0]]), item[1]))
    sizes = _sizes(len(ranked), len(others))
    dealt: list[list[str]] = [[], [], []]
    for count, (participant, _) in enumerate(ranked, 1):
        owed = [size * count / len(ranked) - len(part) for size, part in zip(sizes, dealt, strict=True)]
        dealt[int(np.argmax(owed))].append(participant)
    dealt[0] += others
    parts = (tuple(s for s in subjects if s.participant in set(part)) for part in dealt)
    return Split(*parts)


def _decade(age: float | None) -> float:
    return np.inf if age is None else age // 10


def _sizes(count: int, others: int) -> list[int]:
    """Of each part of `count` controls, where `others` train as well."""
    exact = [share * (count + others) for share in SHARES]
    if others:
        exact[0] = max(0.0, exact[0] - others)
        exact = [share * count / sum(exact) for share in exact]
    sizes = [max(1 if share else 0, int(share)) for share in exact]
    while sum(sizes) < count:
        sizes[int(np.argmax([e - s for e, s in zip(exact, sizes, strict=True)]))] += 1
    while sum(sizes) > count:
        sizes[0] -= 1
    return sizes
