from pathlib import Path

import numpy as np
import pytest
from scipy.stats import rankdata

from vaead_core import scorers
from vaead_core.checkpoints.calibration import percentile
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.inference.model import Model, upsample
from vaead_core.inference.reference import PlaceStatistics
from vaead_core.inference.vae import Posterior
from vaead_core.measures.aggregates import aggregate
from vaead_core.measures.metrics import detection
from vaead_core.scans.preprocessing import Preprocessor
from vaead_core.scans.volume import Slices
from vaead_core.scorers.units import UNITS, units_help

SHIPPED = Path(__file__).resolve().parents[1] / "checkpoints"


class Blank:
    """A network whose reconstruction is 0, so that a residual is the image itself."""

    image_size = 32
    has_gradient = False

    def encode(self, images):
        return Posterior(np.zeros((len(images), 2), np.float32), np.zeros((len(images), 2), np.float32)), {}

    def decode(self, latents):
        return np.zeros((len(latents), 32, 32), np.float32)


@pytest.mark.shows(47)
def test_each_unit_has_a_sentence_of_help():
    units = {kind.unit for kind in scorers.SCORERS.values()}
    assert units == UNITS.keys()
    assert all(one.endswith(".") and one.count(". ") == 0 for one in UNITS.values())
    assert units_help(["nats", "certainty", "nats"]) == f"In nats: {UNITS['nats']} In certainty: {UNITS['certainty']}"


@pytest.fixture(scope="module")
def slices(brain_volume) -> Slices:
    preprocessor = Preprocessor()
    return preprocessor.to_slices(preprocessor.to_brain(brain_volume))[30:54:5]


@pytest.fixture
def model(name, tiny_checkpoint) -> Model:
    """A model that has the scorer `name`."""
    patches = scorers.SCORERS[name].needs.images == "patches"
    return Checkpoint.load(SHIPPED / "brain-patches-2mm").model if patches else tiny_checkpoint.model


def values(name, model, slices):
    scorer = scorers.build(name)
    return scorer.score_map(model, slices) if isinstance(scorer, scorers.MapScorer) else scorer.score(model, slices)


@pytest.mark.parametrize("name", sorted(scorers.SCORERS))
def test_scores_are_finite_float32_of_the_right_shape(name, model, slices):
    found = values(name, model, slices)
    expected = slices.pixels.shape if name in scorers.map_scorers() else (len(slices),)
    assert found.dtype == np.float32
    assert found.shape == expected
    assert np.isfinite(found).all()
    assert found.std() > 0


@pytest.mark.parametrize("name", sorted(scorers.map_scorers()))
def test_maps_are_zero_outside_the_brain(name, model, slices):
    assert not values(name, model, slices)[~slices.mask].any()


@pytest.mark.parametrize("name", sorted(scorers.SCORERS))
def test_a_slice_scores_the_same_alone_in_a_batch_and_twice(name, model, slices):
    fresh = Model(model.vae, model.reference, model.stride, model.companions, model.healthy, model.memory)
    together = values(name, model, slices)
    np.testing.assert_array_equal(together, values(name, fresh, slices))
    np.testing.assert_allclose(values(name, fresh, slices[2:3])[0], together[2], atol=2e-4, rtol=1e-4)


@pytest.mark.parametrize("name", sorted(scorers.SCORERS))
def test_every_scorer_says_what_it_is(name):
    assert len(scorers.help_text(name)) > 60
    assert len(scorers.SCORERS[name].trust) > 30
    assert scorers.help_text(name).endswith(scorers.SCORERS[name].trust)
    assert scorers.SCORERS[name].title
    assert scorers.SCORERS[name].unit


def test_unmasked_residuals_keep_the_background(tiny_checkpoint, slices):
    found = scorers.build("residual", masked=False).score_map(tiny_checkpoint.model, slices)
    assert found[~slices.mask].mean() > 0.1


def test_the_voxel_atlas_sees_a_planted_ball(tiny_checkpoint, slices):
    found = scorers.build("voxel_atlas").score_map(tiny_checkpoint.model, slices)
    bright = (slices.pixels > 0.95) & slices.mask
    assert detection(found[slices.mask], bright[slices.mask]).auroc > 0.8


def test_histogram_equalisation_ranks_the_extremes_highest(tiny_checkpoint):
    pixels = np.linspace(-1, 1, 64, dtype=np.float32).reshape(1, 8, 8)
    ramp = Slices(pixels, np.ones((1, 8, 8), bool), np.zeros(1, int))
    found = scorers.build("histogram_equalised").score_map(tiny_checkpoint.model, ramp).ravel()
    np.testing.assert_allclose(found, np.abs((np.arange(64) + 0.5) / 64 - 0.5), atol=1e-6)


def test_equal_intensities_share_their_mean_rank(tiny_checkpoint):
    values = np.random.default_rng(0).integers(0, 9, (1, 10, 20)).astype(np.float32)
    found = scorers.build("histogram_equalised").score_map(
        tiny_checkpoint.model, Slices(values / 9, np.ones((1, 10, 20), bool), np.zeros(1, int))
    )
    np.testing.assert_allclose(found.ravel(), np.abs((rankdata(values) - 0.5) / 200 - 0.5), atol=1e-7)


def test_patch_maps_are_the_mean_of_the_covering_windows(tiny_checkpoint):
    rng = np.random.default_rng(0)
    mask = np.ones((2, 64, 64), bool)
    slices = Slices(rng.uniform(-1, 1, (2, 64, 64)).astype(np.float32), mask, np.arange(2))
    found = Model(Blank(), stride=16).map(slices, lambda view: view.images)
    np.testing.assert_allclose(found, slices.pixels, atol=1e-6)


def test_a_patch_error_is_one_value_a_window_and_the_mean_where_windows_overlap():
    pixels = np.zeros((1, 48, 32), np.float32)
    pixels[:, :16] = 1
    mask = np.ones(pixels.shape, bool)
    mask[:, :, :8] = False
    found = scorers.build("patch_error").score_map(Model(Blank(), stride=16), Slices(pixels, mask, np.zeros(1, int)))
    np.testing.assert_allclose(found[0, :, 8], np.repeat([0.5, 0.25, 0.0], 16))
    assert not found[:, :, :8].any()
    assert "patch_error" not in scorers.scorers_of(Model(Blank()))


def test_windows_of_background_alone_are_left_out():
    from vaead_core.inference.model import _kept

    mask = np.zeros((1, 64, 64), bool)
    mask[0, 0, 0] = True
    slices = Slices(np.zeros((1, 64, 64), np.float32), mask, np.zeros(1, int))
    assert _kept(slices, 32, 16).tolist() == [[0, 0, 0]]


def test_upsampling_keeps_corners_and_is_linear_between():
    found = upsample(np.array([[[0.0, 1], [2, 3]]]), 5)
    np.testing.assert_allclose(found[0, 0], [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(found[0, :, 0], [0, 0.5, 1, 1.5, 2])


def test_place_statistics_z_score_healthy_values_to_unit_deviation():
    rng = np.random.default_rng(0)
    values = rng.normal(5, 2, (400, 16, 16)).astype(np.float32)
    slices = Slices(values, np.ones(values.shape, bool), np.zeros(400, int))
    z = PlaceStatistics.of(values, slices, 1).z(values, slices)
    assert z.mean() == pytest.approx(0, abs=0.02)
    assert z.std() == pytest.approx(1, abs=0.02)


def test_only_a_signed_scorers_low_values_are_abnormal():
    values = np.array([-3.0, 0.5])
    np.testing.assert_array_equal(scorers.abnormality("signed_residual", values), [3, 0.5])
    np.testing.assert_array_equal(scorers.abnormality("normalised_residual", values), values)


def test_aggregates_of_a_ramp_are_in_closed_form():
    maps = np.arange(100, dtype=np.float32).reshape(1, 10, 10)
    found = aggregate(maps, np.ones((1, 10, 10), bool))
    assert found["mean"][0] == 49.5
    assert found["max"][0] == 99
    assert found["top10"][0] == 94.5
    assert aggregate(maps, np.ones((1, 10, 10), bool), ("top2",))["top2"][0] == 98.5


def test_percentiles_count_healthy_values_at_or_below():
    assert [percentile(v, np.array([1.0, 2, 3, 4])) for v in (0, 2, 9)] == [0, 50, 100]


def test_detection_of_a_perfect_and_a_useless_map():
    truth = np.array([0, 0, 0, 1], bool)
    perfect, flat = detection(np.array([0.1, 0.2, 0.3, 0.9]), truth), detection(np.zeros(4), truth)
    assert (perfect.ap, perfect.auroc, perfect.best_dice) == (1, 1, 1)
    assert (flat.ap, flat.prevalence, flat.auroc, flat.best_dice) == (0.25, 0.25, 0.5, 0.4)
