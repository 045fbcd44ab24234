"""A small study to try things on: BIDS, the same bytes each time, a dark mass in patients alone."""

import nibabel as nib
import pytest

from tests.support.bids import written
from vaead_core.__main__ import main
from vaead_core.cohorts.synthetic import synthetic_cohort
from vaead_core.study import synthetic_study
from vaead_core.study.dataset import find_study

SCAN, MASK = "sub-002/anat/sub-002_T1w.nii.gz", "sub-002/anat/sub-002_space-T1w_label-lesion_mask.nii.gz"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("synthetic") / "study"
    assert main(["synthetic", str(folder), "--controls", "1", "--patients", "1"]) == 0
    return folder


def test_a_study_is_found_with_its_people(study):
    found = find_study(study, study / "derivatives/vaead")
    assert [scan.inside for scan in found.scans] == ["sub-001/anat/sub-001_T1w.nii.gz", SCAN]
    assert {name: row["group"] for name, row in found.people.items()} == {"sub-001": "control", "sub-002": "patient"}
    assert found.left_out == {}


def test_patients_have_a_dark_mass_where_the_truth_says_and_controls_none(study):
    brains = [subject.read().data for subject in synthetic_cohort(2).subjects]
    control, patient = (nib.load(study / name).get_fdata() for name in (SCAN.replace("002", "001"), SCAN))
    truth = nib.load(study / synthetic_study.TRUTH / MASK).get_fdata() > 0
    assert control == pytest.approx(brains[0])
    assert 10 < truth.sum() * 0.008 < 100, "ml"
    assert (patient / brains[1].clip(1e-6))[truth].mean() < 0.85
    assert len(list((study / synthetic_study.TRUTH).rglob("*.nii.gz"))) == 1


def test_the_same_numbers_give_the_same_bytes_and_another_seed_others(study, tmp_path):
    for seed in (0, 1):
        assert main(["synthetic", str(tmp_path / str(seed)), "--controls", "1", "--patients", "1", "--seed", str(seed)]) == 0
    assert written(tmp_path / "0") == written(study)
    assert written(tmp_path / "1")[SCAN] != written(study)[SCAN]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--controls", "-1"], "--controls takes a number from 0 to 999; found -1."),
        (["--patients", "1000"], "--patients takes a number from 0 to 999; found 1000."),
        (["--controls", "0", "--patients", "0"], "A study needs someone; give --controls or --patients."),
    ],
)
def test_numbers_that_make_no_study_are_one_sentence(tmp_path, capsys, options, sentence):
    assert main(["synthetic", str(tmp_path / "study"), *options]) == 2
    assert capsys.readouterr().err == f"{sentence}\n"
    assert list(tmp_path.iterdir()) == []


def test_what_lies_in_a_folder_is_left_alone(tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("mine")
    assert main(["synthetic", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"{tmp_path} is there already and not empty; name a new folder.\n"
    assert main(["synthetic", str(tmp_path / "mine.txt")]) == 2
    assert (tmp_path / "mine.txt").read_text() == "mine"
