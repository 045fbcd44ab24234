"""Maps read on their own scan's scale, which another scanner does not move."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit

from vaead_core import scorers
from vaead_core.measures.bulk import Bulk
from vaead_core.pipeline.scoring import PreparedScan, score


@pytest.fixture(scope="module")
def slices(tiny_cohort):
    """A healthy brain that the network never saw."""
    test = tiny_cohort.test
    return test.slices[test.subject == 0]


@pytest.fixture(scope="module")
def foreign(slices):
    """The same brain as a scanner of more contrast shows it."""
    changed = np.where(slices.mask, np.clip(1.5 * slices.pixels, -1, 1), slices.pixels)
    return replace(slices, pixels=changed.astype(np.float32))


def marked(slices, checkpoint, name, scale):
    """The share of the brain above the threshold that should mark 5 % of healthy brains."""
    found = score(PreparedScan(None, slices), checkpoint, name, scale)
    return float((scorers.abnormality(name, found.maps)[slices.mask] > found.thresholds[0.05]).mean())


@pytest.mark.parametrize("name", ["voxel_atlas", "residual", "denoised_residual"])
def test_another_scanner_does_not_mark_the_brain(name, slices, foreign, tiny_checkpoint):
    assert marked(foreign, tiny_checkpoint, name, "healthy") > 0.15
    here, there = (marked(one, tiny_checkpoint, name, "scan") for one in (slices, foreign))
    assert 0.02 < here < 0.12
    assert there == pytest.approx(here, abs=0.03)


def test_a_threshold_counts_from_the_bulk_of_the_scans_own_map(foreign, tiny_checkpoint):
    found, known = score(PreparedScan(None, foreign), tiny_checkpoint, "residual"), tiny_checkpoint.calibration["residual"]
    values = found.maps[foreign.mask]
    middle = np.median(values)
    spread = 1.4826 * np.median(np.abs(values - middle))
    for rate, threshold in found.thresholds.items():
        assert threshold == pytest.approx(middle + spread * known.scaled.threshold(rate), rel=1e-4)
    assert found.scale == "scan"
    np.testing.assert_array_equal(found.maps, score(PreparedScan(None, foreign), tiny_checkpoint, "residual", "healthy").maps)


def test_percentiles_are_of_the_scale_that_thresholds_have(slices, foreign, tiny_checkpoint):
    plain = score(PreparedScan(None, foreign), tiny_checkpoint, "voxel_atlas", "healthy")
    own = score(PreparedScan(None, foreign), tiny_checkpoint, "voxel_atlas", "scan")
    assert plain.scan == own.scan
    assert plain.scan_percentiles["mean"] == 100
    values, healthy = np.abs(own.maps), tiny_checkpoint.calibration["voxel_atlas"].scaled
    scaled = Bulk.of(values[foreign.mask]).scaled(values)
    for kind in ("mean", "deviation", "max"):
        of = {"mean": np.mean, "deviation": np.std, "max": np.max}[kind]
        ranks = [np.mean(healthy.images[kind] <= of(image[mask])) for image, mask in zip(scaled, foreign.mask, strict=True)]
        np.testing.assert_allclose(own.image_percentiles[kind], 100 * np.array(ranks), atol=1.5)


def test_a_certainty_is_compared_by_its_odds(slices, tiny_checkpoint):
    found, known = score(PreparedScan(None, slices), tiny_checkpoint, "segmenter"), tiny_checkpoint.calibration["segmenter"]
    assert found.scale == "scan"
    odds = np.sort(logit(np.clip(found.maps[slices.mask].astype(float), 1e-7, 1 - 1e-7)))
    middle = odds[len(odds) // 10 : -(len(odds) // 10)].mean()
    for rate, threshold in found.thresholds.items():
        assert threshold == pytest.approx(expit(middle + known.scaled.threshold(rate)), rel=0.02)


def test_odds_that_are_twice_as_high_everywhere_mark_the_same():
    certainty = np.random.default_rng(0).uniform(0.001, 0.9, 2001)
    doubled = expit(logit(certainty) + np.log(2))
    one, other = Bulk.of(certainty, "odds"), Bulk.of(doubled, "odds")
    np.testing.assert_allclose(one.scaled(certainty), other.scaled(doubled), atol=1e-6)
    np.testing.assert_allclose(other.own(other.scaled(doubled)), doubled, rtol=1e-6, atol=1e-6)


def test_a_value_of_an_image_has_no_scale_of_its_own(slices, tiny_checkpoint):
    found = score(PreparedScan(None, slices), tiny_checkpoint, "reconstruction_mse")
    assert found.scale == "healthy"
    assert found.healthy is tiny_checkpoint.calibration["reconstruction_mse"]


def test_a_fusion_reads_its_members_on_the_scans_scale(slices, foreign, tiny_checkpoint):
    found = score(PreparedScan(None, foreign), tiny_checkpoint, "logistic_fusion")
    assert found.scale == "scan"
    assert found.healthy.pixels.tolist() == tiny_checkpoint.calibration["logistic_fusion"].scaled.pixels.tolist()
    member = score(PreparedScan(None, foreign), tiny_checkpoint, "voxel_atlas")
    np.testing.assert_array_equal(found.members["voxel_atlas"], member.healthy.pixels)
    segmenter = score(PreparedScan(None, foreign), tiny_checkpoint, "segmenter")
    np.testing.assert_array_equal(found.members["segmenter"], segmenter.healthy.pixels)
    plain = score(PreparedScan(None, foreign), tiny_checkpoint, "logistic_fusion", "healthy")
    assert found.maps[foreign.mask].mean() < plain.maps[foreign.mask].mean()


def test_a_checkpoint_of_before_is_read_on_the_healthy_brains_scale(slices, tiny_checkpoint):
    bare = {name: replace(one, scaled=None) for name, one in tiny_checkpoint.calibration.items()}
    for name in ("residual", "logistic_fusion"):
        assert score(PreparedScan(None, slices), replace(tiny_checkpoint, calibration=bare), name).scale == "healthy"


def test_a_map_that_is_one_value_almost_everywhere_has_no_scale():
    assert Bulk.of(np.repeat([0.0, 1.0], [60, 40])) is None
