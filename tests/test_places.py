"""Where more or fewer lesions are found than their sizes and looks let expect: planted differences are found, and no others."""

from __future__ import annotations

import numpy as np
import pytest

from vaead_core.pipeline.limits.lesion_scans import LOOKS, PaintedLesion
from vaead_core.pipeline.limits.places import KERNEL_MM, LEAST_LESIONS, ByPlace, by_place, foretold
from vaead_core.pipeline.limits.table import Limits, Outcome

SHAPE = (60, 70, 60)
SPACING_MM = 2.0


def limits_by(share, count: int = 400, seed: int = 0) -> Limits:
    """Lesions all over SHAPE, each found with the probability `share(centre, volume)`."""
    rng = np.random.default_rng(seed)
    outcomes = []
    for number in range(count):
        centre, volume = rng.integers(SHAPE), float(np.exp(rng.uniform(np.log(0.05), np.log(10))))
        lesion = PaintedLesion("mass", list(LOOKS)[number % 2], volume, tuple(centre.tolist()), 5.0)
        outcomes.append(Outcome(lesion, bool(rng.random() < share(centre, volume)), False))
    return Limits("voxel_atlas", 0.05, 1.5, 0, tuple(outcomes))


def by_size(centre, volume: float) -> float:
    return 1 / (1 + np.exp(-1.5 * np.log(volume)))


def blind_on_the_left(centre, volume: float) -> float:
    return by_size(centre, volume) if centre[0] >= SHAPE[0] // 2 else 0.25 * by_size(centre, volume)


def places_of(limits: Limits) -> ByPlace:
    return by_place(limits, np.ones(SHAPE, bool), SPACING_MM)


def test_a_half_that_is_blind_is_found_and_the_other_is_better_than_expected():
    places = places_of(limits_by(blind_on_the_left))
    left, right = places.excess[8, 35, 30], places.excess[52, 35, 30]
    assert left < -0.1 < 0.1 < right
    assert places.chance <= 0.001
    assert "places differ by more than chance (p < 0.002)" in places.sentence()


def test_where_size_alone_decides_places_do_not_differ():
    chances = [places_of(limits_by(by_size, seed=seed)).chance for seed in range(20)]
    assert sum(chance < 0.05 for chance in chances) <= 3, "one in twenty, by chance"
    assert "do not differ by more than chance" in places_of(limits_by(by_size, seed=int(np.argmax(chances)))).sentence()


def test_the_excess_is_the_weighted_mean_of_the_residuals():
    limits = limits_by(blind_on_the_left)
    places = places_of(limits)
    at = np.array([30, 35, 30])
    away = SPACING_MM * np.array([np.linalg.norm(at - one.lesion.centre) for one in limits.outcomes])
    weight, expected = np.exp(-(away**2) / 2 / KERNEL_MM**2), foretold(limits)
    found = np.array([one.found for one in limits.outcomes])
    assert weight.sum() ** 2 / (weight**2).sum() >= LEAST_LESIONS, "the middle is known"
    assert places.excess[tuple(at)] == pytest.approx((weight * (found - expected)).sum() / weight.sum(), abs=1e-5)
    error = np.sqrt((weight**2 * expected * (1 - expected)).sum()) / weight.sum()
    assert places.error[tuple(at)] == pytest.approx(error, abs=1e-5)


def test_the_interval_of_95_holds_zero_at_19_places_in_20_where_nothing_differs():
    inside = []
    for seed in range(20):
        places = places_of(limits_by(by_size, seed=seed))
        inside.append((np.abs(places.excess) <= 1.96 * places.error)[places.known].mean())
    assert np.mean(inside) == pytest.approx(0.95, abs=0.04)


def test_where_few_lesions_lie_nothing_is_known():
    few = places_of(limits_by(by_size, count=5))
    assert not few.known.any()
    assert not few.excess.any()
    assert few.sentence() == "5 lesions are too few to tell places apart."
    none = places_of(limits_by(by_size, count=0))
    assert (none.known.any(), none.chance) == (False, 1.0)


def test_nothing_is_known_outside_the_brain():
    inside = np.zeros(SHAPE, bool)
    inside[10:50, 10:60, 10:50] = True
    assert not by_place(limits_by(by_size), inside, SPACING_MM).known[~inside].any()
