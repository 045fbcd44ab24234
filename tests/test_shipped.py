from pathlib import Path

import pytest

from vaead_core.checkpoints.checkpoint import Checkpoint, find_checkpoints
from vaead_core.cohorts.samples import load_sample
from vaead_core.measures.metrics import detection
from vaead_core.pipeline import scoring

CHECKPOINTS = Path(__file__).resolve().parents[1] / "checkpoints"
SHIPPED = ("brain-patches-2mm", "brain-slices-2mm", "fashion-tshirt")


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_model_is_whole_and_at_most_15_mb(name):
    folder = CHECKPOINTS / name
    assert Checkpoint.load(folder).name == name
    assert sum(file.stat().st_size for file in folder.iterdir()) <= 15_000_000
    assert folder in find_checkpoints(CHECKPOINTS)


def test_training_reached_a_better_picture_than_the_mean_brain():
    reconstruction = Checkpoint.load(CHECKPOINTS / "brain-slices-2mm").provenance.reconstruction
    assert reconstruction["test"].ratio < 1


def test_the_sample_lesion_stands_out_in_the_voxel_atlas():
    sample = load_sample("healthy brain B with a painted lesion")
    checkpoint = Checkpoint.load(CHECKPOINTS / "brain-slices-2mm")
    prepared = scoring.prepare(sample.scan, checkpoint)
    truth = checkpoint.preprocessor.truth_to_slices(sample.truth, prepared.brain)
    mask = prepared.slices.mask
    found = detection(scoring.score(prepared, checkpoint, "voxel_atlas").maps[mask], truth[mask])
    assert found.auroc > 0.8
    assert found.ap > 5 * found.prevalence
