"""The scans that the app carries: real, small, with licence and truth, and rightly scored by the model that it carries."""

import numpy as np
import pytest

from pages.shared.benchmark import own_experiment
from tests.support.contents import FIRST
from vaead_core import scorers
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.checkpoints.search import shipped
from vaead_core.cohorts import open_cohort
from vaead_core.cohorts.samples import FOLDER, SAMPLES, healthy_samples, load_sample
from vaead_core.errors import InputError
from vaead_core.experiments import subjects
from vaead_core.measures.metrics import detection
from vaead_core.pipeline import scoring
from vaead_core.pipeline.cautions import cautions
from vaead_core.scans.registration import descent, register

PREFERRED = ("logistic_fusion", "segmenter", "smoothed_residual", "voxel_atlas")
VOLUMES_ML = {"healthy brain B with a painted lesion": (3, 6), "MS patient": (0.5, 3), "glioma patient": (15, 40)}


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    """The model that the app carries."""
    return Checkpoint.load(shipped())


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_small_and_has_its_truth_and_licence(name):
    kept, sample = SAMPLES[name], load_sample(name)
    assert (FOLDER / kept.scan_file).stat().st_size <= 2_000_000
    assert sample.scan.name == name
    assert sample.scan.data[sample.scan.mask].min() >= 1
    assert kept.scan.removesuffix("_painted") in (FOLDER / "README.md").read_text()
    assert "CC BY" in sample.about
    if name in VOLUMES_ML:
        low, high = VOLUMES_ML[name]
        volume_ml = sample.truth.sum() * np.prod(sample.scan.spacing_mm) / 1000
        assert low < volume_ml < high
        assert not sample.truth[~sample.scan.mask].any()
    else:
        assert sample.truth is None


@pytest.mark.parametrize("name", SAMPLES)
def test_nobody_waits_for_a_samples_place_on_the_atlas(name, monkeypatch):
    monkeypatch.setattr(descent, "coarse", None)  # of each registration the first step
    assert register(load_sample(name).scan).similarity > 0.6


@pytest.mark.parametrize("name", ["healthy brain A", "healthy brain B", "healthy brain B with a painted lesion"])
def test_the_first_screen_marks_little_of_a_healthy_brain_and_the_painted_lesion(checkpoint, name):
    sample = load_sample(name)
    prepared = scoring.prepare(sample.scan, checkpoint)
    found = [scoring.score(prepared, checkpoint, method) for method in PREFERRED]
    assert cautions(prepared, found, checkpoint) == []
    for one in found:
        values = one.abnormality[prepared.slices.mask]
        assert (values > one.thresholds[0.05]).mean() <= 0.08, one.name
        if sample.truth is not None:
            brain = sample.scan.mask
            native = scorers.abnormality(one.name, scoring.native_map(prepared, checkpoint, one.map_values))
            assert detection(native[brain], sample.truth[brain]).ap > 0.5, one.name


def test_a_patient_of_another_scanner_opens_with_little_marked_and_no_warning(checkpoint):
    sample = load_sample("MS patient")
    prepared = scoring.prepare(sample.scan, checkpoint)
    found = [scoring.score(prepared, checkpoint, method) for method in PREFERRED]
    assert cautions(prepared, found, checkpoint) == []
    for one in found:
        values = one.abnormality[prepared.slices.mask]
        assert 0.005 < (values > one.thresholds[0.05]).mean() <= 0.1, one.name
        assert one.scale == "scan", one.name


def test_the_healthy_samples_are_test_subjects_of_the_shipped_model(checkpoint):
    source = checkpoint.provenance.source
    assert {subject.id for subject in healthy_samples().subjects} <= set(source.subjects["test"])
    assert open_cohort("samples") == healthy_samples()
    assert len(FIRST) == len(PREFERRED)


def test_ones_own_experiment_measures_the_samples_where_the_cohort_is_not(checkpoint, monkeypatch):
    monkeypatch.setattr(subjects, "find_data", lambda name: None)
    assert own_experiment._where(shipped()) == ["--data", "samples"]
    source, people = subjects.measured(checkpoint, "samples", "test")
    assert people == ("IXI012-HH-1211_T1_brain", "IXI603-HH-2701_T1_brain")
    brain = subjects.prepared_brain(source, people[0], str(shipped()))
    assert 1400 < brain.mask.sum() * 0.008 < 1800, "ml, on the atlas"
    with pytest.raises(InputError, match="None of the validation subjects of brain-slices-2mm is among the samples"):
        subjects.measured(checkpoint, "samples", "validation")
