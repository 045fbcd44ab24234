"""Two groups of a study, told apart by scores."""

import math

import numpy as np
import pytest

from vaead_core.errors import InputError
from vaead_core.figures.groups import groups_figure
from vaead_core.measures.metrics import RESAMPLED_GROUPS, separation, separation_intervals
from vaead_core.study.comparison import separated
from vaead_core.study.group import GroupTable


def table(**people: tuple[str, list[float]]) -> GroupTable:
    """Of one method; each person's group and the scores of his scans."""
    rows = [
        {"scan": f"{name}_{at}", "participant_id": name, "group": group, "state": "scored", "residual_score": str(score)}
        for name, (group, scores) in people.items()
        for at, score in enumerate(scores)
    ]
    return GroupTable({}, [*rows, {"participant_id": "failed", "group": "patient", "state": "failed"}], ("residual",), ("group",))


def test_people_count_once_by_the_mean_of_their_scans():
    (found,) = separated(table(a=("patient", [1, 3]), b=("control", [1.5]), c=("control", [2.5])), "group", "patient", "control")
    assert found.first == {"a": 2}
    assert found.second == {"b": 1.5, "c": 2.5}
    assert (found.found.auroc, found.found.ap, found.found.prevalence) == (0.5, 0.5, pytest.approx(1 / 3))


def test_a_group_of_fewer_than_five_has_no_interval():
    people = {f"p{at}": ("patient", [at]) for at in range(5)}
    four = {f"c{at}": ("control", [at + 0.5]) for at in range(4)}
    (few,) = separated(table(**people, **four), "group", "patient", "control")
    assert few.few
    assert all(map(math.isnan, (*few.auroc, *few.ap)))
    (enough,) = separated(table(**people, **four, c5=("control", [0.1])), "group", "patient", "control")
    assert not enough.few
    assert enough.auroc[0] < enough.found.auroc < enough.auroc[1]
    assert enough.ap[0] < enough.found.ap < enough.ap[1]


def test_a_group_of_nobody_is_one_sentence():
    with pytest.raises(InputError, match="No scan of nobody was scored; choose another group"):
        separated(table(a=("patient", [1])), "group", "patient", "nobody")


@pytest.mark.parametrize("decimals", [0, 8], ids=["ties", "no ties"])
def test_intervals_are_those_of_groups_that_are_drawn_one_by_one(decimals):
    rng = np.random.default_rng(2)
    one, other = rng.normal(1, 1, 11).round(decimals), rng.normal(0, 1, 30).round(decimals)
    rng = np.random.default_rng(0)
    drawn = [separation(rng.choice(one, len(one)), rng.choice(other, len(other))) for _ in range(RESAMPLED_GROUPS)]
    ends = [np.quantile([getattr(found, name) for found in drawn], [(1 - 0.95) / 2, (1 + 0.95) / 2]) for name in ("auroc", "ap")]
    np.testing.assert_array_equal(separation_intervals(one, other), ends)


def test_intervals_are_the_same_each_time_and_hold_what_new_people_would_give():
    """Of both groups drawn from known distributions 40 times, nearly all intervals hold the AUROC that those have."""
    rng, auroc, held = np.random.default_rng(1), 0.7602, 0  # Φ(1 / √2)
    first = separation_intervals(rng.normal(1, 1, 30), rng.normal(0, 1, 30))
    rng = np.random.default_rng(1)
    assert separation_intervals(rng.normal(1, 1, 30), rng.normal(0, 1, 30)) == first
    for _ in range(40):
        one, other = rng.normal(1, 1, 30), rng.normal(0, 1, 30)
        (low, high), (_, top) = separation_intervals(one, other)
        assert top <= 1
        assert low <= separation(one, other).auroc <= high
        held += low <= auroc <= high
    assert held >= 34


def test_everybody_of_two_groups_is_a_point_beside_the_median_and_names_are_text():
    figure = groups_figure({"A": ({"<b>a": 1.0, "b": 3.0}, {"c": 5.0})}, ("<i>x", "y"))
    assert [one["y"] for one in figure["data"]] == [[1.0, 3.0], [2.0, 2.0], [5.0], [5.0, 5.0]]
    assert figure["data"][0]["text"][0] == "&lt;b&gt;a"
    assert figure["layout"]["xaxis"]["ticktext"] == ["&lt;i&gt;x", "y"]
