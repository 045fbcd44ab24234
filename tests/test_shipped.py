from pathlib import Path

import pytest

from vaead_core.checkpoints.checkpoint import Checkpoint, find_checkpoints
from vaead_core.cohorts.samples import load_sample
from vaead_core.measures.metrics import detection
from vaead_core.pipeline import scoring

CHECKPOINTS = Path(__file__).resolve().parents[1] / "checkpoints"
SHIPPED = {"brain-patches-2mm": 15, "brain-slices-2mm": 15, "fashion-tshirt": 15, "thesis-slices": 25}  # MB, at most


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_model_is_whole_and_not_too_large(name):
    folder = CHECKPOINTS / name
    assert Checkpoint.load(folder).name == name
    assert sum(file.stat().st_size for file in folder.iterdir()) <= SHIPPED[name] * 1_000_000
    assert [one.name for one in find_checkpoints(CHECKPOINTS)] == sorted(SHIPPED)


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
