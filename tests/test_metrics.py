import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from vaead_core.measures.metrics import detection, dice, interval_over_subjects


def cases():
    rng = np.random.default_rng(0)
    for size, levels in ((10, 3), (500, 7), (5000, 50), (4000, None)):
        values = rng.normal(size=size) if levels is None else rng.integers(0, levels, size) / levels
        yield values.astype(np.float32), rng.random(size) < 0.2


@pytest.mark.parametrize(("values", "truth"), list(cases()))
def test_ap_and_auroc_equal_scikit_learns_with_and_without_ties(values, truth):
    found = detection(values, truth)
    assert found.ap == pytest.approx(average_precision_score(truth, values), abs=1e-9)
    assert found.auroc == pytest.approx(roc_auc_score(truth, values), abs=1e-9)
    assert found.prevalence == truth.mean()


@pytest.mark.parametrize(("values", "truth"), list(cases()))
def test_best_dice_is_the_best_of_every_threshold(values, truth):
    dice = [2 * (truth & (values >= at)).sum() / ((values >= at).sum() + truth.sum()) for at in np.unique(values)]
    assert detection(values, truth).best_dice == pytest.approx(max(dice), abs=1e-12)


def test_a_perfect_map_has_ap_1_a_constant_and_a_shuffled_one_the_prevalence():
    rng = np.random.default_rng(1)
    truth = rng.random(20_000) < 0.1
    perfect, constant = detection(truth + rng.random(20_000) / 2, truth), detection(np.ones(20_000), truth)
    assert (perfect.ap, perfect.auroc, perfect.best_dice) == (1, 1, 1)
    assert (constant.ap, constant.auroc) == (pytest.approx(truth.mean()), 0.5)
    assert detection(rng.random(20_000), truth).ap == pytest.approx(truth.mean(), abs=0.01)


def test_dice_at_a_threshold_counts_what_lies_above_it():
    values = np.array([0.1, 0.4, 0.6, 0.9])
    truth = np.array([False, True, False, True])
    assert dice(values > 0.5, truth) == pytest.approx(2 * 1 / (2 + 2))
    assert dice(values > 0.6, truth) == pytest.approx(2 * 1 / (1 + 2))
    assert dice(values > 2.0, truth) == 0


def test_dice_of_half_an_overlap_is_a_half():
    one, other = np.arange(4) < 2, np.arange(4) % 2 == 0
    assert dice(one, other) == pytest.approx(0.5)
    assert dice(one, ~one) == 0
    assert dice(np.zeros(3, bool), np.zeros(3, bool)) == 0


@pytest.mark.parametrize("truth", [np.zeros(4, bool), np.ones(4, bool)])
def test_one_kind_alone_has_no_average_precision(truth):
    with pytest.raises(ValueError, match="both anomalous and normal"):
        detection(np.arange(4.0), truth)


def test_the_interval_of_equal_subjects_is_a_point_and_widens_with_their_spread():
    assert interval_over_subjects(np.full(5, 0.3)) == (0.3, 0.3)
    narrow, wide = (interval_over_subjects(0.5 + spread * np.linspace(-1, 1, 8)) for spread in (0.1, 0.4))
    assert narrow[0] < 0.5 < narrow[1]
    assert wide[1] - wide[0] == pytest.approx(4 * (narrow[1] - narrow[0]))


def test_one_subject_has_no_interval():
    assert np.isnan(interval_over_subjects(np.array([0.5]))).all()


def test_the_interval_covers_the_true_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(3)
    inside = 0
    for _ in range(200):
        low, high = interval_over_subjects(rng.normal(0.5, 0.1, 30))
        inside += low < 0.5 < high
    assert 0.88 < inside / 200 < 0.99
