import nibabel as nib
import numpy as np
import pytest

from vaead_core.cohorts import open_cohort
from vaead_core.cohorts.nifti_folder import mood_toys, nifti_folder
from vaead_core.errors import CohortError


def scan_file(path, value=1.0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(value * np.arange(24, dtype=np.float32).reshape(2, 3, 4), np.eye(4)), path)


def test_files_of_the_same_name_in_different_folders_stay_different_subjects(tmp_path):
    for value, person in enumerate(("anna", "ben", "carl"), 1):
        scan_file(tmp_path / person / "T1.nii.gz", value)
    subjects = nifti_folder(tmp_path).subjects
    assert [s.id for s in subjects] == ["anna/T1", "ben/T1", "carl/T1"]
    assert [s.participant for s in subjects] == ["anna", "ben", "carl"]
    assert [s.read().data.max() for s in subjects] == [23, 46, 69]


def test_folders_above_the_data_say_nothing_of_the_participant(tmp_path):
    folder = tmp_path / "sub-projects" / "scans"
    for name in ("a", "b", "c"):
        scan_file(folder / f"{name}.nii")
    assert [s.participant for s in nifti_folder(folder).subjects] == ["a", "b", "c"]


def test_bids_sessions_share_a_participant_whether_named_in_file_or_folder(tmp_path):
    scan_file(tmp_path / "sub-01" / "ses-1" / "sub-01_ses-1_T1w.nii.gz")
    scan_file(tmp_path / "sub-01" / "ses-2" / "T1w.nii.gz")
    assert {s.participant for s in nifti_folder(tmp_path).subjects} == {"sub-01"}


@pytest.mark.parametrize("age", ["n/a", "", "nan", "inf", "old"])
def test_an_age_that_is_no_finite_number_is_unknown(tmp_path, age):
    scan_file(tmp_path / "s1.nii")
    (tmp_path / "participants.tsv").write_text(f"participant_id\tage\ns1\t{age}\n")
    assert nifti_folder(tmp_path).subjects[0].age is None


@pytest.mark.parametrize("given", ["", "brain", "brain/brain_train"])
def test_mood_is_found_from_any_of_its_folders(tmp_path, given):
    brain = tmp_path / "brain"
    for path in ("brain_train/00000", "brain_toy/toy/toy_0", "brain_toy/toy_label/pixel/toy_0"):
        scan_file(brain / f"{path}.nii.gz")
    scan_file(tmp_path / "abdom" / "abdom_train" / "00001.nii.gz")
    assert [s.id for s in open_cohort(str(tmp_path / given)).subjects] == ["00000"]
    assert len(mood_toys(tmp_path / given)) == 1


@pytest.fixture(params=["brain_toy", ""], ids=["in brain_toy", "beside brain_train"])
def mood(request, tmp_path):
    """A MOOD download with three toy scans; its path and where their sample labels go."""
    toys = tmp_path / request.param
    scan_file(tmp_path / "brain_train" / "00000.nii.gz")
    for name in ("toy_0", "toy_1", "toy_2"):
        scan_file(toys / "toy" / f"{name}.nii.gz")
        scan_file(toys / "toy_label" / "pixel" / f"{name}.nii.gz")
    (toys / "toy_label" / "sample").mkdir()
    return tmp_path, toys / "toy_label" / "sample"


def test_the_sample_labels_of_mood_toys_are_read_where_there_are_some(mood):
    folder, labels = mood
    (labels / "toy_0.nii.gz.txt").write_text("0")
    (labels / "toy_1.nii.gz.txt").write_text("1\n")
    toys = mood_toys(folder)
    assert [toy.scan.name for toy in toys] == [toy.pixel_label.name for toy in toys]
    assert [toy.anomalous for toy in toys] == [False, True, None]
    assert [s.id for s in nifti_folder(folder).subjects] == ["00000"], "toy scans are never trained on"


@pytest.mark.parametrize("content", [b"", b"2", b"0.5", b"yes", b"0 1", b"\xff\xfe"])
def test_a_mood_sample_label_that_is_not_0_or_1_is_refused(mood, content):
    folder, labels = mood
    (labels / "toy_1.nii.gz.txt").write_bytes(content)
    with pytest.raises(CohortError, match=r"^toy_1.nii.gz.txt must hold one number, 0 or 1; download .* again\.$"):
        mood_toys(folder)


@pytest.mark.parametrize("source", ["synthetic:0", "synthetic:2", "synthetic:", "synthetic:many", "synthetic:²"])
def test_a_synthetic_cohort_too_small_to_split_is_refused(source):
    with pytest.raises(CohortError, match="3 or more"):
        open_cohort(source)


def test_a_folder_given_as_a_dot_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scan_file(tmp_path / "a.nii")
    assert open_cohort(".").name == tmp_path.name


@pytest.mark.parametrize(
    "files",
    [
        ("alice/s1", "alice/s2", "bob/s1"),
        ("alice/alice_s1", "alice/alice_s2", "bob/bob_s1"),
        ("alice/s1/t1", "alice/s2/t1", "bob/s1/t1"),
    ],
)
def test_two_visits_in_a_persons_folder_are_one_participant(tmp_path, files):
    for name in files:
        scan_file(tmp_path / f"{name}.nii.gz")
    cohort = nifti_folder(tmp_path)
    assert [s.participant for s in cohort.subjects] == ["alice", "alice", "bob"]
    assert "3 scans" in cohort.description
    assert "(2 participants)" in cohort.description


def test_folders_of_sites_are_no_participants_where_file_names_say_who_is_who(tmp_path):
    for name in ("hospital/p1", "hospital/p2", "institute/p3"):
        scan_file(tmp_path / f"{name}.nii.gz")
    assert [s.participant for s in nifti_folder(tmp_path).subjects] == ["p1", "p2", "p3"]


def test_identifiers_of_the_table_are_matched_whole(tmp_path):
    for name in ("sub-1_T1w", "sub-10_T1w", "sub-2_T1w", "sub-02_T1w"):
        scan_file(tmp_path / f"{name}.nii.gz")
    (tmp_path / "participants.tsv").write_text("participant_id\tage\nsub-1\t30\nsub-10\t40\n02\t50\n")
    found = {s.id: (s.participant, s.age) for s in nifti_folder(tmp_path).subjects}
    assert found == {
        "sub-1_T1w": ("sub-1", 30), "sub-10_T1w": ("sub-10", 40), "sub-2_T1w": ("sub-2", None), "sub-02_T1w": ("02", 50),
    }  # fmt: skip


def test_of_a_bids_dataset_t1w_alone_is_taken_and_the_rest_is_counted(tmp_path):
    for person in ("sub-01", "sub-02", "sub-03"):
        for name in ("anat/{}_T1w", "anat/{}_T2w", "func/{}_task-rest_bold", "anat/{}_label-brain_mask"):
            scan_file(tmp_path / person / f"{name.format(person)}.nii.gz")
    scan_file(tmp_path / "derivatives" / "brains" / "sub-01" / "sub-01_desc-brain_T1w.nii.gz")
    cohort = nifti_folder(tmp_path)
    assert [s.id for s in cohort.subjects] == ["sub-01_T1w", "sub-02_T1w", "sub-03_T1w"]
    assert cohort.description.endswith("Left out: 3 T2w, 3 mask, 3 bold, 1 in derivatives")
    brains = nifti_folder(tmp_path / "derivatives" / "brains")
    assert [s.participant for s in brains.subjects] == ["sub-01"], "a folder of derivatives is read when it is asked for"


def test_masks_beside_scans_are_left_out_and_counted(tmp_path):
    for name in ("a/t1", "a/t1_mask", "b/t1", "b/lesion", "c/t1", "c/t1-label"):
        scan_file(tmp_path / f"{name}.nii.gz")
    cohort = nifti_folder(tmp_path)
    assert [s.id for s in cohort.subjects] == ["a/t1", "b/t1", "c/t1"]
    assert "Left out: 3 masks" in cohort.description


def test_a_folder_of_masks_alone_says_what_it_holds(tmp_path):
    scan_file(tmp_path / "lesion.nii.gz")
    with pytest.raises(CohortError, match=r"No T1 scan lies below .*Left out: 1 masks\."):
        nifti_folder(tmp_path)


def test_links_to_folders_are_followed_once(tmp_path):
    for name in ("a", "b", "c"):
        scan_file(tmp_path / "store" / name / f"{name}_t1.nii.gz")
    study = tmp_path / "study"
    study.mkdir()
    for name in ("a", "b", "c"):
        (study / name).symlink_to(tmp_path / "store" / name)
    (study / "a" / "round").symlink_to(study)
    assert [s.id for s in nifti_folder(study).subjects] == ["a_t1", "b_t1", "c_t1"]
