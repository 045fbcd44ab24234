import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from vaead_core.measures.precision_recall import precision_recall
from vaead_core.scans.volume import Slices


def images(count: int = 4) -> Slices:
    mask = np.zeros((count, 12, 12), bool)
    mask[:, 2:10, 2:10] = True
    return Slices(np.zeros(mask.shape, np.float32), mask, np.arange(count))


@pytest.fixture
def case():
    """Maps, a truth in images 1 and 2, and the images."""
    slices = images()
    maps = np.random.default_rng(0).normal(0, 1, slices.mask.shape).astype(np.float32)
    truth = np.zeros(slices.mask.shape, bool)
    truth[1:3, 4:7, 4:7] = True
    return maps + truth, truth, slices


def test_only_the_brain_of_images_with_a_part_of_the_truth_counts(case):
    maps, truth, slices = case
    found = precision_recall(maps, truth, slices)
    held = slices.mask[1:3]
    assert found.detection.prevalence == truth.sum() / held.sum()
    assert found.detection.ap == pytest.approx(average_precision_score(truth[1:3][held], maps[1:3][held]))


def test_precision_and_recall_are_those_of_the_pixels_above_a_threshold(case):
    maps, truth, slices = case
    found = precision_recall(maps, truth, slices)
    held = slices.mask[1:3]
    for threshold in (-0.5, 0.0, 1.7):
        marked, hit = maps[1:3][held] > threshold, truth[1:3][held]
        precision, recall = found.above(threshold)
        assert precision == pytest.approx((marked & hit).sum() / marked.sum())
        assert recall == pytest.approx((marked & hit).sum() / hit.sum())


def test_above_everything_nothing_is_marked_and_nothing_is_wrong(case):
    precision, recall = precision_recall(*case).above(99.0)
    assert (precision, recall) == (1.0, 0.0)


def test_the_curve_begins_where_all_is_marked_and_loses_one_positive_after_the_other(case):
    found = precision_recall(*case)
    thresholds = found.thresholds()
    precision, recall = found.above(thresholds)
    np.testing.assert_allclose(recall, np.array([18, *range(18, 0, -1)]) / 18)
    assert precision[0] == pytest.approx(found.detection.prevalence)
    assert (np.diff(thresholds) > 0).all()


def test_a_map_that_knows_nothing_has_one_threshold_with_the_chance_precision(case):
    _, truth, slices = case
    found = precision_recall(np.zeros(truth.shape, np.float32), truth, slices)
    precision, recall = found.above(found.thresholds())
    assert recall.tolist() == [1]
    assert precision == pytest.approx(found.detection.prevalence)


def test_a_long_curve_is_thinned_at_even_steps_of_recall(case):
    _, recall = precision_recall(*case).above(precision_recall(*case).thresholds(most=6))
    assert len(recall) == 7
    assert np.ptp(np.diff(recall[1:])) < 0.06


def test_there_is_no_curve_without_a_truth(case):
    maps, truth, slices = case
    assert precision_recall(maps, np.zeros_like(truth), slices) is None
