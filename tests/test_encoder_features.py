import numpy as np
import pytest

from vaead_core import scorers
from vaead_core.checkpoints import calibration
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.inference.model import Model
from vaead_core.scans.volume import Slices
from vaead_core.scorers.encoder_features import _farthest, brain_at, features


@pytest.fixture(scope="module")
def model(tiny_checkpoint, tiny_cohort):
    """The tiny network with memories made again from its training brains."""
    depth = tiny_checkpoint.preprocessor.slice_grid.depth
    vae = tiny_checkpoint.model.vae
    return Model(vae, memory=calibration.memories(Model(vae), tiny_cohort.train.slices, depth))


def test_features_of_two_stages_share_a_grid(model, tiny_cohort):
    slices = tiny_cohort.test.slices[30:33]
    first, second = model.vae.features(slices.pixels, ("stage1", "stage2")).values()
    found = features(model, slices)
    assert found.shape == (3, *second.shape[2:], first.shape[1] + second.shape[1])
    np.testing.assert_allclose(found[0, 0, 0, 0], first[0, 0, :2, :2].mean(), rtol=1e-5)
    assert brain_at(slices, second.shape[2]).mean() == pytest.approx(slices.mask.mean(), abs=0.05)


def test_the_farthest_rows_are_kept():
    corners = np.array([[0, 0], [0, 9], [9, 0], [9, 9]], float)
    inside = 4 + np.random.default_rng(0).random((50, 2))
    kept = _farthest(np.concatenate([corners[:1], inside, corners[1:]]), 4)
    assert {tuple(row) for row in kept} == {tuple(row) for row in corners}


@pytest.mark.parametrize("name", ["padim", "patchcore"])
def test_a_changed_place_is_further_than_it_was(name, model, tiny_cohort):
    slices = tiny_cohort.train.slices[18:48:5]
    square = np.zeros_like(slices.mask)
    square[:, 40:56, 30:46] = slices.mask[:, 40:56, 30:46]
    changed = Slices(np.where(square, -slices.pixels, slices.pixels), slices.mask, slices.position)
    scorer = scorers.build(name)
    rise = scorer.score_map(model, changed) - scorer.score_map(model, slices)
    assert rise[square].mean() > 3 * abs(rise[slices.mask & ~square]).mean()


def test_memories_come_back_from_disk(tiny_checkpoint_folder, tiny_checkpoint, model):
    stored = Checkpoint.load(tiny_checkpoint_folder).model.memory
    assert set(stored) == {"padim", "patchcore", "patch_novelty"}
    for name, kept in model.memory.items():
        for key, array in kept.items():
            np.testing.assert_array_equal(stored[name][key], array)
