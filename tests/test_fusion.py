import numpy as np
import pytest

from vaead_core import scorers
from vaead_core.inference.model import Model
from vaead_core.scorers.fusion import INTERCEPT, WEIGHTS, Fusion, surprise


def test_surprise_is_the_power_of_ten_of_the_healthy_share_above():
    healthy = np.linspace(0, 1, 1001)
    np.testing.assert_allclose(surprise(np.array([0.0, 0.9, 0.99, 0.999]), healthy), [0, 1, 2, 3], atol=1e-4)


def test_surprise_goes_on_beyond_all_healthy_values():
    healthy = -np.log10(1 - np.linspace(0, 1, 1001)[:-1].clip(max=0.999))  # an exponential distribution, cut at one in 1000
    healthy = np.append(healthy, healthy[-1])
    values = np.array([1.0, 2.5, 3.0, 4.0, 6.0])
    np.testing.assert_allclose(surprise(values, healthy), values, atol=0.02)


def test_surprise_never_falls():
    healthy = np.sort(np.random.default_rng(0).normal(size=1001) ** 3)
    found = surprise(np.linspace(-100, 100, 5001), healthy)
    assert (np.diff(found) >= 0).all()
    assert found[0] == 0


def test_of_constant_healthy_maps_every_larger_value_is_finite():
    assert np.isfinite(surprise(np.array([-1.0, 0.0, 1e6]), np.zeros(1001))).all()


def test_fusion_needs_every_member(tiny_checkpoint):
    model = tiny_checkpoint.model
    assert scorers.lacks(model, Fusion) is None
    without = Model(model.vae, model.reference, model.stride, {}, model.healthy, model.memory)
    assert scorers.lacks(without, Fusion) == "a segmenter"
    assert "fusion" not in scorers.scorers_of(without)


def test_fusion_is_calibrated_on_what_its_members_score(tiny_checkpoint):
    pixels = tiny_checkpoint.calibration["fusion"].pixels
    assert 0.2 < np.median(pixels) < 0.6  # −log₁₀ ½ where the members agree
    assert pixels[-1] > 1.5


@pytest.mark.parametrize(
    ("fusion", "member"),
    [(name, member) for name in ("fusion", "logistic_fusion") for member in scorers.SCORERS[name].needs.members],
)
def test_each_member_raises_the_fusion(fusion, member, tiny_checkpoint, tiny_cohort, monkeypatch):
    slices = tiny_cohort.test.slices[30:31]
    before = scorers.build(fusion).score_map(tiny_checkpoint.model, slices)
    kind, old = scorers.SCORERS[member], scorers.SCORERS[member].score_map
    monkeypatch.setattr(kind, "score_map", lambda self, model, slices: old(self, model, slices) + 5 * slices.mask)
    after = scorers.build(fusion).score_map(tiny_checkpoint.model, slices)
    assert (after[slices.mask] > before[slices.mask]).mean() > 0.9


def test_the_logistic_fusion_is_the_surprise_that_a_pixel_is_healthy_and_never_saturates(
    tiny_checkpoint, tiny_cohort, monkeypatch
):
    slices = tiny_cohort.test.slices[30:32]
    rare = np.random.default_rng(0).uniform(0, 4, slices.pixels.shape)
    rare[1, slices.mask[1]] = np.linspace(20, 40, slices.mask[1].sum())
    monkeypatch.setattr("vaead_core.scorers.fusion.rarity", lambda name, model, slices: rare)
    found = scorers.build("logistic_fusion").score_map(tiny_checkpoint.model, slices)
    assert not found[~slices.mask].any()
    logit = rare * sum(WEIGHTS.values()) + INTERCEPT
    lesion = 1 / (1 + np.exp(-logit[0][slices.mask[0]]))
    np.testing.assert_allclose(found[0][slices.mask[0]], -np.log(1 - lesion), rtol=1e-4)
    assert (np.diff(found[1][slices.mask[1]]) > 0).all()
