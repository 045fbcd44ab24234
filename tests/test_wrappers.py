"""Wrappers, structural similarity, posterior draws and the evidence bound against what they must give."""

from dataclasses import replace

import numpy as np
import pytest

from vaead_core import scorers
from vaead_core.inference.model import Model
from vaead_core.inference.reference import PlaceStatistics, Reference
from vaead_core.inference.vae import Posterior
from vaead_core.scans.volume import Slices
from vaead_core.scorers.wrappers import Calibrated, Intensity, LeftAgainstRight, mirrored

SIZE = 32


class Fixed:
    """A network whose posterior and reconstruction are given."""

    image_size = SIZE

    def __init__(self, mean=0.0, log_variance=0.0, picture=None):
        self.mean, self.log_variance = mean, log_variance
        self.picture = np.zeros((SIZE, SIZE), np.float32) if picture is None else picture

    def encode(self, images):
        of = lambda value: np.full((len(images), 3), value, np.float32)  # noqa: E731
        return Posterior(of(self.mean), of(self.log_variance)), {}

    def decode(self, latents):
        return self.picture + latents.mean(1)[:, None, None]


@pytest.fixture
def slices() -> Slices:
    rows, columns = np.indices((SIZE, SIZE))
    mask = np.broadcast_to((rows - 16) ** 2 + (columns - 16) ** 2 < 13**2, (3, SIZE, SIZE)).copy()
    return Slices(np.random.default_rng(0).uniform(-1, 1, mask.shape).astype(np.float32), mask, np.arange(3))


def test_a_column_and_its_mirror_image_change_places(slices):
    found = mirrored(slices.pixels)
    np.testing.assert_array_equal(found[..., 1:], slices.pixels[..., :0:-1])
    assert not found[..., 0].any()
    np.testing.assert_array_equal(mirrored(found)[..., 1:], slices.pixels[..., 1:])


def test_a_symmetric_slice_has_no_asymmetry_and_a_dark_spot_is_negative_on_its_own_side_alone(slices):
    symmetric = Slices(slices.pixels + mirrored(slices.pixels), slices.mask & mirrored(slices.mask), slices.position)
    asymmetry = LeftAgainstRight(Intensity(), 2)
    assert np.abs(asymmetry.score_map(Model(Fixed()), symmetric)).max() < 1e-3
    symmetric.pixels[1, 14:18, 20:24] -= 1
    found = asymmetry.score_map(Model(Fixed()), symmetric)
    assert found[1].min() == found[1, 14:18, 20:24].min() < -0.3
    np.testing.assert_allclose(found, -mirrored(found), atol=1e-3)
    assert not found[[0, 2]].any() or np.abs(found[[0, 2]]).max() < 1e-3


def test_wrappers_compose_and_know_whether_the_network_is_needed(slices):
    residual = scorers.build("residual", masked=False)
    both = LeftAgainstRight(residual, 2)
    assert both.uses_network
    assert not LeftAgainstRight(Intensity(), 2).uses_network
    model = Model(Fixed())
    reference = Reference({"both": PlaceStatistics.of(both.score_map(model, slices), slices, 3)})
    found = Calibrated(both, "both").score_map(model.with_reference(reference), slices)
    places = reference["both"]
    expected = (both.score_map(model, slices) - places.mean) / places.deviation
    np.testing.assert_allclose(found, expected * slices.mask, rtol=1e-5, atol=1e-5)


def test_the_darker_side_is_the_negative_asymmetry(tiny_checkpoint, brain_volume):
    preprocessor = tiny_checkpoint.preprocessor
    brain = preprocessor.to_slices(preprocessor.to_brain(brain_volume))[30:33]
    dark, both = (scorers.build(name).score_map(tiny_checkpoint.model, brain) for name in ("dark_asymmetry", "asymmetry"))
    np.testing.assert_array_equal(dark, -both)
    assert scorers.abnormality("dark_asymmetry", dark).min() < 0
    assert scorers.abnormality("asymmetry", both).min() >= 0


def test_the_darker_side_of_the_voxel_atlas_is_how_far_below_its_place_a_region_lies(tiny_checkpoint, tiny_cohort):
    slices = tiny_cohort.test.slices[34:37]
    at = slices.position
    places = tiny_checkpoint.model.reference["intensity"]
    plain = scorers.build("dark_voxel_atlas", pixels=0.0)
    for deviations in (-3.0, 0.0, 2.0):
        moved = replace(slices, pixels=(places.mean[at] + deviations * places.deviation[at]).astype(np.float32))
        np.testing.assert_allclose(plain.score_map(tiny_checkpoint.model, moved)[slices.mask], -deviations, atol=1e-3)
        smooth = scorers.build("dark_voxel_atlas").score_map(tiny_checkpoint.model, moved)
        np.testing.assert_allclose(smooth[slices.mask], -deviations, atol=1e-3)
        assert not smooth[~slices.mask].any()
    assert scorers.abnormality("dark_voxel_atlas", np.float32([-2])) == -2


@pytest.mark.parametrize("name", ["ssim", "ssim_contrast"])
def test_structural_dissimilarity_is_zero_of_a_perfect_picture_and_as_by_hand_elsewhere(name, slices):
    one = slices[:1]
    perfect = Model(Fixed(picture=one.pixels[0]))
    assert np.abs(scorers.build(name).score_map(perfect, one)).max() < 1e-4
    picture = np.random.default_rng(1).uniform(-1, 1, (SIZE, SIZE)).astype(np.float32)
    found = scorers.build(name).score_map(Model(Fixed(picture=picture)), one)[0, 10, 12]
    losses = []
    for window in (5, 9, 15):
        half = window // 2
        cut = np.s_[10 - half : 11 + half, 12 - half : 13 + half]
        inside = one.mask[0][cut]
        x, y = one.pixels[0][cut][inside].astype(float), picture[cut][inside].astype(float)
        c1, c2 = 0.02**2, 0.06**2
        if name == "ssim":
            light = (2 * x.mean() * y.mean() + c1) / (x.mean() ** 2 + y.mean() ** 2 + c1)
            losses.append(1 - light * (2 * np.cov(x, y, ddof=0)[0, 1] + c2) / (x.var() + y.var() + c2))
        else:
            losses.append(1 - (2 * x.std() * y.std() + c2) / (x.var() + y.var() + c2))
    assert found == pytest.approx(np.mean(losses), abs=1e-4)


def test_draws_of_a_sure_posterior_give_the_plain_residual_and_of_an_unsure_one_more(slices):
    plain = scorers.build("residual").score_map(Model(Fixed(0.2)), slices)
    sure = scorers.build("monte_carlo_residual").score_map(Model(Fixed(0.2, -40.0)), slices)
    np.testing.assert_allclose(sure, plain, atol=1e-6)
    unsure = scorers.build("monte_carlo_residual").score_map(Model(Fixed(0.2)), slices)
    assert unsure[slices.mask].mean() > plain[slices.mask].mean() + 0.01


def test_the_bound_is_error_over_healthy_variance_plus_divergence(slices):
    mean, log_variance = 0.5, -1.0
    divergence = 3 * 0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance)
    places = PlaceStatistics(np.full((3, SIZE, SIZE), 0.3, np.float32), np.full((3, SIZE, SIZE), 0.4, np.float32))
    model = Model(Fixed(mean, log_variance), Reference({"residual": places}))
    np.testing.assert_allclose(scorers.build("kl").score(model, slices), divergence, rtol=1e-5)
    square = ((slices.pixels - mean) ** 2 * slices.mask).sum((1, 2))
    np.testing.assert_allclose(scorers.build("elbo").score(model, slices), square / 0.5 + divergence, rtol=1e-4)
