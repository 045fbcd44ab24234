from dataclasses import replace

import numpy as np
import pytest

from vaead_core.checkpoints.checkpoint import Latents
from vaead_core.detectors.preparation import LatentPreparation
from vaead_core.figures.latents import change_picture, plane_figure, score_figure, slice_picture
from vaead_core.pipeline import latent_space
from vaead_core.pipeline.latent_space import LatentSpace, between


def healthy(count=240, size=6, places=12, people=6, seed=0) -> Latents:
    rng = np.random.default_rng(seed)
    scale = np.array([5.0, 3.0, *np.full(size - 2, 0.5)])
    position = np.arange(count) % places
    latents = rng.normal(size=(count, size)) * scale + position[:, None] * np.array([1.0, *np.zeros(size - 1)])
    return Latents(
        latents.astype(np.float16), position.astype(np.int16), (np.arange(count) // (count // people)).astype(np.int16)
    )


@pytest.fixture(params=["global", "position"])
def space(request):
    return LatentSpace.of(healthy(), request.param)


def test_components_are_orthonormal_and_hold_the_variance_in_falling_order(space):
    np.testing.assert_allclose(space.axes @ space.axes.T, np.eye(len(space.axes)), atol=1e-12)
    assert (np.diff(space.share) <= 0).all()
    assert space.share.sum() == pytest.approx(1), "six latents have six components"


def test_components_are_those_of_the_covariance_of_the_rows(space):
    values = np.linalg.eigvalsh(np.cov(space.rows.T))[::-1]
    np.testing.assert_allclose(space.spread**2, values, rtol=1e-9)


def test_healthy_coordinates_have_no_mean_and_the_spread_of_each_component(space):
    found = space.coordinates(space.latents, space.position)
    np.testing.assert_allclose(found.mean(0), 0, atol=1e-9)
    np.testing.assert_allclose(found.std(0, ddof=1), space.spread, rtol=1e-9)


def test_latents_that_are_fewer_than_their_numbers_have_as_many_components_as_they_span():
    few = healthy(count=6, size=30, places=3, people=3)
    assert len(LatentSpace.of(few).axes) == 5


def test_a_step_along_a_component_moves_its_coordinate_by_one_deviation_and_no_other(space):
    start, place = space.latents[7], int(space.position[7])
    moved = space.along(start, place, 1, np.array([0.0, 1.0, -2.0]))
    found = space.coordinates(moved, np.full(3, place)) - space.coordinates(start[None], np.array([place]))
    expected = np.zeros((3, len(space.axes)))
    expected[:, 1] = np.array([0, 1, -2]) * space.spread[1]
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_step_at_a_place_beyond_the_healthy_ones_is_that_of_the_last(space):
    start = space.latents[0]
    last = int(space.position.max())
    steps = np.array([1.0])
    np.testing.assert_array_equal(space.along(start, 99, 0, steps), space.along(start, last, 0, steps))


def test_between_begins_at_one_latent_and_ends_at_the_other():
    start, end = np.array([0.0, 2.0]), np.array([4.0, 0.0])
    np.testing.assert_allclose(between(start, end, np.array([0, 0.5, 1])), [[0, 2], [2, 1], [4, 0]])


def test_the_nearest_to_a_healthy_latent_is_itself_and_the_others_follow_by_distance(space):
    near = space.nearest(space.latents[31], int(space.position[31]), 5)
    assert near.index[0] == 31
    assert near.distance[0] == 0
    slow = [float(np.sqrt(((space.rows[at] - space.rows[31]) ** 2).sum())) for at in range(len(space.rows))]
    assert near.index.tolist() == sorted(range(len(slow)), key=slow.__getitem__)[:5]
    np.testing.assert_allclose(near.distance, sorted(slow)[:5])


def test_a_healthy_latent_is_scored_by_a_detector_that_has_not_seen_its_subject():
    known = healthy()
    outlying = known.mean.copy()
    outlying[known.subject == 2] += np.float16(40)
    space = LatentSpace.of(Latents(outlying, known.position, known.subject))
    held_out = latent_space.healthy_outlier_scores("knn", space, "global")
    seen = latent_space.outlier_scores("knn", space, "global", space.latents, space.position)
    theirs = known.subject == 2
    assert held_out[theirs].min() > held_out[~theirs].max(), "others do not know this subject"
    assert seen[theirs].max() < held_out[theirs].min() / 2, "with itself among them it is not far from all"


def test_one_healthy_subject_is_scored_by_itself():
    space = LatentSpace.of(healthy(people=1))
    alone = latent_space.healthy_outlier_scores("knn", space, "global")
    np.testing.assert_array_equal(alone, latent_space.outlier_scores("knn", space, "global", space.latents, space.position))


def test_a_percentile_counts_the_healthy_slices_nearest_in_position():
    position = np.repeat([0, 10], 4)
    scores = np.array([1, 2, 3, 4, 101, 102, 103, 104.0])
    found = latent_space.percentiles_nearby(np.array([2.0, 2.0, 102.0, 500.0]), np.array([1, 9, 9, 9]), scores, position, rows=4)
    assert found.tolist() == [50, 0, 50, 100]


def test_a_scan_of_which_half_the_slices_lie_outside_is_warned_of():
    assert latent_space.warnings(np.array([10, 50, 100.0])) == []
    [sentence] = latent_space.warnings(np.array([10, 96, 100.0]))
    assert "more than a lesion does" in sentence


def test_a_new_checkpoint_knows_the_age_of_each_healthy_slice_and_an_old_one_does_not(tiny_checkpoint):
    known = latent_space.colours(tiny_checkpoint)
    assert list(known) == ["Slice position", "Subject", "Age"]
    assert {len(values) for values in known.values()} == {len(tiny_checkpoint.latents.mean)}
    source = tiny_checkpoint.provenance.source
    assert set(known["Age"]) == set(source.ages["train"])
    old = replace(tiny_checkpoint, provenance=replace(tiny_checkpoint.provenance, source=replace(source, ages={})))
    assert "Age" not in latent_space.colours(old)


def test_pictures_are_black_outside_the_brain_and_turned_as_they_are_seen():
    pixels = np.full((4, 4), 1.0)
    mask = np.zeros((4, 4), bool)
    mask[0, 0] = True
    picture = slice_picture(pixels, mask)
    assert picture[3, 3] == 255, "the first row is posterior, the first column the patient's left"
    assert picture.sum() == 255
    change = change_picture(np.where(mask, -0.5, 3.0), mask, 0.5)
    assert change[3, 3].tolist() == [76, 155, 232]
    assert change.sum() == sum([76, 155, 232])


def test_figures_hold_the_scan_as_their_second_trace_and_mark_the_chosen_slice():
    rng = np.random.default_rng(0)
    around, scan, place = rng.normal(size=(50, 2)), rng.normal(size=(5, 2)), np.arange(5)
    plane = plane_figure(around, np.arange(50), "Age", ["someone"] * 50, scan, place, 3, np.array([0.5, 0.25]))
    scores = score_figure(around[:, 0], np.arange(50), scan[:, 0], place, np.full(5, 50.0), 3, "KNN")
    for figure, points in ((plane, scan), (scores, np.stack([place, scan[:, 0]], 1))):
        assert [trace["name"] for trace in figure["data"]] == ["Healthy", "This scan", "Chosen"]
        np.testing.assert_allclose(np.stack([figure["data"][1]["x"], figure["data"][1]["y"]], 1), points, atol=1e-4)
        np.testing.assert_allclose([figure["data"][2]["x"][0], figure["data"][2]["y"][0]], points[3], atol=1e-4)
    assert plane["layout"]["xaxis"]["title"]["text"] == "Component 1 (50% of the variance)"


def test_the_atlas_outlines_every_slice_that_holds_its_brain(tiny_checkpoint):
    preprocessor = tiny_checkpoint.preprocessor
    outline = preprocessor.slice_grid.atlas_mask(np.array([35, 36]))
    assert outline.shape == (2, preprocessor.slice_grid.image_size, preprocessor.slice_grid.image_size)
    assert 0.2 < outline.mean() < 0.8


def test_the_preparation_is_that_of_the_detectors(space):
    standardise = "global" if len(space.preparation.mean) == 1 else "position"
    expected = LatentPreparation(standardise).fit(space.latents, space.position).to_rows(space.latents, space.position)
    np.testing.assert_array_equal(space.rows, expected)
