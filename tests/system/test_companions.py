"""Companion networks that are trained into a checkpoint."""

import numpy as np
import pytest

from tests.support.trainings import FEW, only_scorers, tiny
from training import companions
from training.loop import Training
from training.run import train
from vaead_core import scorers
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.errors import CheckpointError
from vaead_core.inference.vae import GRAPHS
from vaead_core.pipeline import scoring


@pytest.fixture(scope="module", autouse=True)
def few_scorers():
    """Those whose networks are trained here among them."""
    with only_scorers(*FEW, "denoised_residual", "segmenter"):
        yield


@pytest.fixture(scope="module")
def alone(thin_cohort, tmp_path_factory):
    """A checkpoint without companion networks."""
    folder = tmp_path_factory.mktemp("alone") / "alone"
    train(tiny(folder, epochs=1), thin_cohort)
    return folder


def test_a_checkpoint_without_a_network_says_what_its_scorer_needs(alone, brain_volume):
    checkpoint = Checkpoint.load(alone)
    assert "segmenter" not in scorers.scorers_of(checkpoint.model)
    prepared = scoring.prepare(brain_volume, checkpoint)
    with pytest.raises(CheckpointError, match="segmenter needs a segmenter, which alone does not hold") as refused:
        scoring.score(prepared, checkpoint, "segmenter")
    assert refused.value.in_terminal.endswith("Or run: python -m training.companions alone")


def test_a_companion_network_is_trained_into_its_checkpoint(alone, thin_cohort, brain_volume):
    graphs = {name: (alone / name).read_bytes() for name in GRAPHS}
    config = companions.CompanionConfig(name="denoiser", checkpoint=alone, epochs=2, steps_per_epoch=4, width=4, levels=2)
    companions.train([config], thin_cohort)
    after = Checkpoint.load(alone)
    assert list(after.model.companions) == ["denoiser"]
    how = after.provenance.companions["denoiser"]
    assert how.settings["epochs"] == 2
    assert how.history.count("\n") == 3
    assert "## Companion network: denoiser" in after.card
    assert not list(alone.parent.glob("*.unfinished"))
    for graph in GRAPHS:
        assert (alone / graph).read_bytes() == graphs[graph]
    maps = scoring.score(scoring.prepare(brain_volume, after), after, "denoised_residual").maps
    assert np.isfinite(maps).all()


def test_an_interrupted_training_goes_on_to_the_same_network(alone, thin_cohort, monkeypatch):
    config = companions.CompanionConfig(name="segmenter", checkpoint=alone, epochs=2, steps_per_epoch=2, width=2, levels=2)
    companions.train([config], thin_cohort)
    whole = (alone / "segmenter.onnx").read_bytes()

    def killed_in_the_second(training, task, index):
        if index == 1:
            raise KeyboardInterrupt
        return epoch(training, task, index)

    epoch = Training.epoch
    with monkeypatch.context() as patch:
        patch.setattr(Training, "epoch", killed_in_the_second)
        with pytest.raises(KeyboardInterrupt):
            companions.train([config], thin_cohort)
    assert (config.out.with_name(f"{config.out.name}.unfinished") / "history.csv").read_text().count("\n") == 2
    companions.train([config], thin_cohort)
    assert (alone / "segmenter.onnx").read_bytes() == whole
