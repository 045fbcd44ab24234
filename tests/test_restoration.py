import numpy as np
import pytest

from vaead_core.inference.model import View
from vaead_core.inference.vae import Posterior
from vaead_core.scorers import restoration
from vaead_core.scorers.restoration import restored


class Redraws:
    """A network that redraws every image as `target`; its KL divergence grows by `slope` with each pixel."""

    def __init__(self, target, slope=0.0):
        self.target, self.slope = target, np.float32(slope)

    def encode(self, images, stages):
        zeros = np.zeros((len(images), 1), np.float32)
        return Posterior(zeros, zeros), {}

    def decode(self, latents):
        return self.target

    def kl_gradient(self, images):
        return np.full_like(images, self.slope)


@pytest.fixture
def images():
    return np.random.default_rng(0).uniform(-1, 1, (2, 16, 16)).astype(np.float32)


def restored_towards(target, images, slope=0.0):
    return restored(Redraws(target, slope), View(images, np.ones(images.shape, bool), None, target, {}))


def test_an_image_that_is_redrawn_as_it_is_stays(images):
    np.testing.assert_array_equal(restored_towards(images, images), images)


def test_each_step_comes_nearer_to_what_is_redrawn(images, monkeypatch):
    target = images + np.float32(0.5)
    left = []
    for steps in range(1, 6):
        monkeypatch.setattr(restoration, "STEPS", steps)
        left.append(np.abs(restored_towards(target, images) - target).mean())
    np.testing.assert_allclose(left, 0.5 * (1 - restoration.STEP) ** np.arange(1, 6), rtol=1e-3)


def test_what_raises_the_kl_divergence_is_lowered(images, monkeypatch):
    monkeypatch.setattr(restoration, "STEPS", 1)
    found = restored_towards(images, images, slope=2.0)
    np.testing.assert_allclose(found, images - restoration.STEP * restoration.VARIANCE * 2, atol=1e-6)


def test_a_change_is_smoother_with_the_total_variation_than_without(images, monkeypatch):
    target = images + np.random.default_rng(1).uniform(-0.1, 0.1, images.shape).astype(np.float32)

    def roughness():
        return np.abs(np.diff(restored_towards(target, images) - images)).mean()

    smooth = roughness()
    monkeypatch.setattr(restoration, "TOTAL_VARIATION", 0.0)
    assert smooth < 0.9 * roughness()


def test_the_gradient_of_the_total_variation_is_that_of_differences():
    change = np.random.default_rng(1).normal(size=(1, 7, 6))

    def variation(values):
        down = np.diff(values, axis=1, append=values[:, -1:])
        right = np.diff(values, axis=2, append=values[:, :, -1:])
        return np.sqrt(down**2 + right**2 + restoration.ROUNDED**2).sum()

    gradient = restoration._variation_gradient(change)
    for at in ((0, 0, 0), (0, 3, 2), (0, 6, 5), (0, 6, 0), (0, 2, 5)):
        step = np.zeros_like(change)
        step[at] = 1e-6
        assert gradient[at] == pytest.approx((variation(change + step) - variation(change - step)) / 2e-6, abs=1e-4)
