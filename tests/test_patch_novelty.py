import re

import numpy as np
import pytest

from vaead_core import scorers
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.errors import CheckpointError
from vaead_core.inference.model import Model
from vaead_core.pipeline import scoring
from vaead_core.scans.volume import Slices
from vaead_core.scorers.patch_novelty import NEAREST, PatchNovelty, _distance


@pytest.fixture
def subjects():
    return np.random.default_rng(0).normal(size=(5, 24, 24)).astype(np.float32)


def slow(image, subjects, row, column):
    """The distance at one pixel, patch by patch."""
    mine = image[row - 1 : row + 2, column - 1 : column + 2]
    best = [
        min(
            ((mine - one[row + down - 1 : row + down + 2, column + right - 1 : column + right + 2]) ** 2).mean()
            for down in range(-2, 3)
            for right in range(-2, 3)
        )
        for one in subjects
    ]
    return np.sqrt(sorted(best)[:NEAREST]).mean()


def test_the_distance_is_that_to_the_best_match_in_the_nearest_subjects(subjects):
    image = np.random.default_rng(1).normal(size=(24, 24)).astype(np.float32)
    found = _distance(image, subjects, np.ones((24, 24), bool))
    for row, column in ((5, 7), (12, 12), (18, 4)):
        assert found[row, column] == pytest.approx(slow(image, subjects, row, column), rel=1e-4)


def test_what_lies_in_enough_subjects_is_not_novel_though_it_moved(subjects):
    moved = np.roll(subjects[0], (1, -2), (0, 1))
    mask = np.zeros((24, 24), bool)
    mask[6:18, 6:18] = True
    found = _distance(moved, np.repeat(subjects[:1], NEAREST, 0), mask)
    assert found[8:16, 8:16].max() < 1e-3
    assert _distance(moved, np.repeat(subjects[1:2], NEAREST, 0), mask)[8:16, 8:16].min() > 0.1


def test_a_slice_of_a_place_where_no_training_brain_was_is_not_judged():
    one = Slices(np.zeros((1, 24, 24), np.float32), np.ones((1, 24, 24), bool), np.array([3]))
    other = Slices(np.ones((1, 24, 24), np.float32), np.ones((1, 24, 24), bool), np.array([4]))
    model = Model(None, memory={PatchNovelty.needs.memory: PatchNovelty.learn(None, one, 5)})
    base = PatchNovelty.needs.calibrated[0].base
    assert base.score_map(model, other).max() == 0
    assert base.score_map(model, Slices(other.pixels, other.mask, one.position)).min() == pytest.approx(1)


def test_a_checkpoint_holds_training_scans_only_if_it_was_asked_to(tiny_checkpoint, brain_volume):
    shipped = Checkpoint.load("checkpoints/brain-slices-2mm")
    assert "patch_novelty" in scorers.scorers_of(tiny_checkpoint.model)
    assert "patch_novelty" not in shipped.model.memory
    assert "holds the training scans themselves" in tiny_checkpoint.card
    assert "holds the training scans themselves" not in shipped.card
    with pytest.raises(CheckpointError, match=r"needs the training scans.*choose another scorer") as refused:
        scoring.score(scoring.prepare(brain_volume, shipped), shipped, "patch_novelty")
    assert "--" not in str(refused.value)
    assert re.search(r"--with-scans \(and give it to nobody", refused.value.in_terminal)
