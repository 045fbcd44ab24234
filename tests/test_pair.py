"""Two maps beside each other on the atlas grid: what their difference is, and when it is one of percentiles."""

import gzip
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest

from vaead_core.cohorts.synthetic import synthetic_brain
from vaead_core.errors import InputError
from vaead_core.pipeline import pair, scoring
from vaead_core.pipeline.pair import Side
from vaead_core.scans.registration import atlas_grid
from vaead_core.scans.slice_grid import SliceGrid


def side(scan, checkpoint, name="residual", scale="healthy") -> Side:
    prepared = scoring.prepare(scan, checkpoint)
    return Side(prepared, checkpoint, scoring.score(prepared, checkpoint, name, scale))


@pytest.fixture(scope="module")
def with_ball(brain_volume, tiny_checkpoint) -> Side:
    return side(brain_volume, tiny_checkpoint)


@pytest.fixture(scope="module")
def without(tiny_checkpoint) -> Side:
    """The same brain without its bright ball."""
    return side(synthetic_brain(7, 0, 40.0), tiny_checkpoint)


def test_a_map_less_itself_is_zero_in_its_own_unit(with_ball):
    found = pair.difference(with_ball, with_ball)
    assert not found.values.any()
    assert (found.typical, found.unit, found.of_percentiles) == (0.0, "intensity", False)
    assert pair.overlap(with_ball, with_ball, (0.1, 0.1)) == 1.0


def test_the_difference_is_the_second_less_the_first_where_both_have_brain(with_ball, without):
    found, back = pair.difference(without, with_ball), pair.difference(with_ball, without)
    np.testing.assert_array_equal(found.values, -back.values)
    np.testing.assert_array_equal(found.covered, with_ball.covered(2) & without.covered(2))
    assert not found.values[~found.covered].any()
    i, j, k = SliceGrid(2).from_scan((78, 62, 44), with_ball.prepared.brain)
    assert found.values[i, j, k] > 10 * found.typical, "the ball is brighter than the network redraws it"
    assert found.values[i, j, k] == pytest.approx(with_ball.on_grid(2)[i, j, k] - without.on_grid(2)[i, j, k])


def test_another_method_or_another_scale_of_intensities_is_compared_by_percentiles(with_ball, brain_volume, tiny_checkpoint):
    other = side(brain_volume, tiny_checkpoint, "voxel_atlas")
    elsewhere = replace(tiny_checkpoint, digest="another", preprocessor=replace(tiny_checkpoint.preprocessor, background="mean"))
    twin = replace(with_ball, checkpoint=replace(tiny_checkpoint, digest="another"))
    assert pair.same_unit(with_ball, twin)
    for second in (other, replace(with_ball, checkpoint=elsewhere)):
        found = pair.difference(with_ball, second)
        assert (found.of_percentiles, found.unit) == (True, "percentile points")
        assert np.abs(found.values).max() <= 100
    activations = side(brain_volume, tiny_checkpoint, "activation")
    assert not pair.same_unit(activations, replace(activations, checkpoint=twin.checkpoint)), "a network's own unit"


def test_a_percentile_is_the_share_of_healthy_voxels_that_a_value_reaches(with_ball):
    found, covered = with_ball.percentiles_on_grid(2), with_ball.covered(2)
    values, healthy = with_ball.on_grid(2), with_ball.scored.healthy
    at = tuple(np.argwhere(covered & (values > 0))[1000])
    assert found[at] == pytest.approx(100 * (1 - healthy.rate(float(values[at]))))
    above = values > healthy.threshold(0.05)
    assert found[above].min() > 94.9
    assert not found[~covered].any()


def test_brains_without_a_common_place_are_one_sentence(with_ball):
    slices = with_ball.prepared.slices
    nothing = replace(with_ball.prepared, slices=replace(slices, mask=slices.mask & False))
    with pytest.raises(InputError, match="No place of the atlas is covered by both brains"):
        pair.difference(with_ball, replace(with_ball, prepared=nothing))


def test_what_one_of_two_thresholds_alone_marks_is_what_lies_between_them(with_ball):
    values, brain = with_ball.on_grid(2), with_ball.covered(2)
    low, high = np.quantile(values[brain], (0.9, 0.99))
    found = pair.marked_by_one(with_ball, high, low)
    np.testing.assert_array_equal(found == 1, brain & (values > low) & (values <= high))
    np.testing.assert_array_equal(pair.marked_by_one(with_ball, low, high), -found)
    assert with_ball.marked_share(low) - with_ball.marked_share(high) == pytest.approx((found == 1).sum() / brain.sum())


def test_a_scan_is_seen_in_its_brain_alone_also_on_a_finer_grid(with_ball):
    brain = with_ball.prepared.brain
    seen = pair.intensity_on_grid(brain, 2)
    np.testing.assert_array_equal(seen > 0, brain.mask)
    assert seen.max() <= 1
    fine = pair.intensity_on_grid(brain, 1)
    assert fine.shape == atlas_grid(1).shape
    place = np.rint(np.linalg.inv(atlas_grid(1).affine) @ atlas_grid(2).affine @ [60, 60, 40, 1]).astype(int)
    assert fine[tuple(place[:3])] == pytest.approx(seen[60, 60, 40], abs=0.15)


def test_a_file_on_the_atlas_has_its_grid(with_ball):
    values = with_ball.on_grid(2)
    image = nib.Nifti1Image.from_bytes(gzip.decompress(pair.grid_nifti(values, 2, "map", "residual on SRI24")))
    np.testing.assert_allclose(image.affine, atlas_grid(2).affine)
    np.testing.assert_array_equal(image.get_fdata(dtype=np.float32), values)
    assert image.header["descrip"].item().decode() == "vaead: residual on SRI24"


def test_a_voxel_of_the_atlas_and_of_the_scan_lead_to_each_other(with_ball):
    brain, grid = with_ball.prepared.brain, SliceGrid(2)
    for voxel in ((60, 60, 40), (40, 70, 30)):
        there = grid.from_scan(voxel, brain)
        assert np.abs(np.subtract(grid.in_scan(there, brain), voxel)).max() <= 1
    assert grid.from_scan((0, 0, 0), brain) == tuple(np.clip(grid.from_scan((0, 0, 0), brain), 0, np.array(grid.atlas.shape) - 1))


def test_a_map_on_a_finer_grid_does_not_fade_at_the_brains_rim(with_ball):
    fine = with_ball._moved(np.ones_like(with_ball.scored.map_values), 1)
    np.testing.assert_allclose(fine[with_ball.covered(1)], 1, atol=1e-5)
    assert not fine[~with_ball.covered(1)].any()
