import gzip
import hashlib
import http.server
import threading

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from vaead_core.cohorts import Subject, fashion_mnist, open_cohort
from vaead_core.cohorts.nifti_folder import mood_toys, nifti_folder
from vaead_core.cohorts.splits import split_subjects
from vaead_core.cohorts.synthetic import exponential, synthetic_brain, synthetic_cohort
from vaead_core.errors import CohortError
from vaead_core.measures.folds import leave_out
from vaead_core.scans import atlas


def people(count: int, others: int = 0) -> tuple[Subject, ...]:
    """The last `others` of them are no controls; without any, nothing is told."""
    ages = [20 + 60 * index / count for index in range(count)]
    control = [index < count - others if others else None for index in range(count)]
    return tuple(Subject(f"s{i}", f"s{i}", age, lambda: None, control[i]) for i, age in enumerate(ages))


def scan_file(path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(np.arange(24, dtype=np.float32).reshape(2, 3, 4), np.eye(4)), path)


def test_atlas_images_line_up_voxel_for_voxel():
    assert atlas.t1().data.shape == atlas.tissues().shape == (240, 240, 155)
    t1 = atlas.t1().data
    means = [t1[atlas.tissues() == tissue].mean() for tissue in (atlas.CSF, atlas.GREY, atlas.WHITE)]
    assert means == sorted(means), "on T1, CSF is darkest and white matter brightest"
    with pytest.raises(ValueError, match="read-only"):
        t1[0, 0, 0] = 1


def test_splits_are_70_20_10_without_overlap_and_seeded():
    subjects = people(40)
    split = split_subjects(subjects, 3)
    assert [len(part) for part in (split.train, split.validation, split.test)] == [28, 8, 4]
    assert {s.id for part in (split.train, split.validation, split.test) for s in part} == {s.id for s in subjects}
    assert split == split_subjects(subjects, 3)
    assert split != split_subjects(subjects, 4)


def test_every_part_of_a_split_spans_the_ages():
    split = split_subjects(people(60), 0)
    for part in (split.train, split.validation, split.test):
        assert np.mean([s.age for s in part]) == pytest.approx(49.5, abs=6)


def test_scans_of_one_participant_stay_together():
    subjects = tuple(Subject(f"p{i // 3}-{i}", f"p{i // 3}", None, lambda: None) for i in range(30))
    split = split_subjects(subjects, 0)
    parts = [{s.participant for s in part} for part in (split.train, split.validation, split.test)]
    assert sum(len(part) for part in parts) == len(set().union(*parts)) == 10


@pytest.mark.parametrize(
    ("count", "others", "sizes"), [(48, 33, (34, 9, 5)), (40, 4, (28, 8, 4)), (40, 34, (34, 4, 2)), (20, 18, (18, 1, 1))]
)
def test_who_is_no_control_trains_alone(count, others, sizes):
    subjects = people(count, others)
    split = split_subjects(subjects, 0)
    assert tuple(len(part) for part in (split.train, split.validation, split.test)) == sizes
    assert all(subject.control for subject in split.validation + split.test)
    assert set(split.train + split.validation + split.test) == set(subjects)


def test_controls_are_those_whom_the_table_calls_so(tmp_path):
    for name in ("sub-1", "sub-2", "sub-3", "sub-4"):
        scan_file(tmp_path / f"{name}_T1w.nii.gz")
    told = {
        "participant_id\tage\nsub-1\t30\n": [None] * 4,
        "participant_id\tgroup\nsub-1\tA\nsub-2\tB\n": [None] * 4,
        "participant_id\tgroup\nsub-1\tdepr\nsub-2\tControl\nsub-3\t\n": [False, True, False, False],
    }
    for table, controls in told.items():
        (tmp_path / "participants.tsv").write_text(table)
        assert [subject.control for subject in nifti_folder(tmp_path).subjects] == controls
    assert "4 scans" in nifti_folder(tmp_path).description
    assert "3 of them not of its controls" in nifti_folder(tmp_path).description


def test_each_row_is_left_out_once_with_all_of_its_subject():
    subject = np.repeat([3, 1, 7, 5, 4], 4)
    folds = list(leave_out(subject, 2))
    assert [set(subject[left_out].tolist()) for left_out, _ in folds] == [{1, 4, 7}, {3, 5}]
    assert all(np.array_equal(others, ~left_out) for left_out, others in folds)
    assert len(list(leave_out(subject, 8))) == 5, "no more folds than subjects"


def test_a_single_subject_stands_on_both_sides():
    [(left_out, others)] = leave_out(np.zeros(3, int), 4)
    assert left_out.all()
    assert others.all()


def test_one_subject_cannot_be_split():
    with pytest.raises(CohortError, match=r"at least 3 healthy subjects.*found 1"):
        split_subjects(people(1))


def test_a_folder_without_nifti_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("no scans here")
    with pytest.raises(CohortError, match=r"No .nii or .nii.gz file"):
        open_cohort(str(tmp_path))


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(CohortError, match="does not exist"):
        open_cohort(str(tmp_path / "none"))
    (tmp_path / "one.nii.gz").write_bytes(b"")
    with pytest.raises(CohortError, match=r"^one\.nii\.gz is a file; give the folder that holds it and the other scans\.$"):
        open_cohort(str(tmp_path / "one.nii.gz"))


def test_ages_come_from_participants_tsv_by_the_longest_matching_id(tmp_path):
    for name in ("sub-1_T1.nii.gz", "sub-12_T1.nii.gz", "other.nii", ".hidden.nii"):
        scan_file(tmp_path / name)
    (tmp_path / "participants.tsv").write_text("participant_id\tage\nsub-1\t30\nsub-12\tn/a\n")
    found = {s.id: (s.participant, s.age) for s in nifti_folder(tmp_path).subjects}
    assert found == {"sub-1_T1": ("sub-1", 30), "sub-12_T1": ("sub-12", None), "other": ("other", None)}


def test_a_table_without_ids_is_refused(tmp_path):
    scan_file(tmp_path / "a.nii")
    (tmp_path / "participants.tsv").write_text("name\tage\nx\t3\n")
    with pytest.raises(CohortError, match="column participant_id"):
        nifti_folder(tmp_path)


def test_mood_is_recognised_as_downloaded(tmp_path):
    for index in range(3):
        scan_file(tmp_path / "brain_train" / f"{index:05d}.nii.gz")
    scan_file(tmp_path / "brain_toy" / "toy" / "toy_0.nii.gz")
    scan_file(tmp_path / "brain_toy" / "toy_label" / "pixel" / "toy_0.nii.gz")
    cohort = open_cohort(str(tmp_path))
    assert cohort.name == "MOOD brain"
    assert [s.id for s in cohort.subjects] == ["00000", "00001", "00002"], "toy scans are never trained on"
    assert [(toy.scan.name, toy.pixel_label.parent.name) for toy in mood_toys(tmp_path)] == [("toy_0.nii.gz", "pixel")]


def test_a_synthetic_subject_is_the_same_whatever_the_count():
    few, many = synthetic_cohort(2).subjects[1], synthetic_cohort(5).subjects[1]
    assert few == many
    np.testing.assert_array_equal(few.read().data, many.read().data)


def test_synthetic_brains_differ_and_are_zero_outside():
    one, other = synthetic_brain(0, 0, 50), synthetic_brain(0, 1, 50)
    assert np.corrcoef(one.data.ravel(), other.data.ravel())[0, 1] < 0.98
    assert (one.data == 0).mean() > 0.5
    assert 900 < (one.data > 0).sum() * 8 / 1000 < 2000, "millilitres of an adult brain"


def test_the_deformation_folds_nothing():
    rng = np.random.default_rng(0)
    velocity = np.stack([ndimage.gaussian_filter(rng.standard_normal((30, 30, 30)), 4) for _ in range(3)])
    field = exponential(3 * velocity / velocity.std())
    jacobian = np.stack([np.stack(np.gradient(part)) for part in field]) + np.eye(3)[..., None, None, None]
    assert np.linalg.det(jacobian.transpose(2, 3, 4, 0, 1)).min() > 0


def test_exponentials_of_opposite_flows_undo_each_other():
    velocity = np.zeros((3, 24, 24, 24), np.float32)
    velocity[0] = 2 * np.exp(-((np.indices((24, 24, 24)) - 12) ** 2).sum(0) / 60)
    there, back = exponential(velocity), exponential(-velocity)
    points = np.indices((24, 24, 24)) + there
    undone = there + np.stack([ndimage.map_coordinates(part, points, order=1, mode="nearest") for part in back])
    assert np.abs(undone).max() < 0.1 * np.abs(there).max()


class _Server(http.server.SimpleHTTPRequestHandler):
    content = gzip.compress(np.random.default_rng(0).bytes(50_000))
    asked: list = []  # noqa: RUF012
    ranges = True

    def do_GET(self):
        start = self.headers.get("Range")
        _Server.asked.append(start)
        begin = int(start.removeprefix("bytes=").removesuffix("-")) if start and self.ranges else 0
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(self.content) - begin))
        self.end_headers()
        self.wfile.write(self.content[begin:])

    def log_message(self, *_):
        pass


@pytest.fixture
def address():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    _Server.asked, _Server.ranges = [], True
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


MD5 = hashlib.md5(_Server.content).hexdigest()


@pytest.mark.parametrize("ranges", [True, False])
def test_a_cut_off_download_goes_on_where_it_stopped(address, tmp_path, ranges):
    _Server.ranges = ranges
    (tmp_path / "file.gz.part").write_bytes(_Server.content[:1000])
    seen = []
    path = fashion_mnist.fetch("file.gz", MD5, tmp_path, address, lambda done, total: seen.append((done, total)))
    assert path.read_bytes() == _Server.content
    assert _Server.asked == ["bytes=1000-"]
    assert seen[-1] == (len(_Server.content), len(_Server.content))
    assert not (tmp_path / "file.gz.part").exists()


def test_a_damaged_download_is_removed_and_said(address, tmp_path):
    with pytest.raises(CohortError, match="damaged"):
        fashion_mnist.fetch("file.gz", "0" * 32, tmp_path, address)
    assert list(tmp_path.iterdir()) == []


def test_no_network_says_what_to_put_where(tmp_path):
    with pytest.raises(CohortError, match="could not be downloaded; fetch it elsewhere"):
        fashion_mnist.fetch("file.gz", MD5, tmp_path, "http://127.0.0.1:9")


def test_an_altered_file_on_disk_is_refused(tmp_path):
    (tmp_path / "file.gz").write_bytes(b"something else")
    with pytest.raises(CohortError, match="differs from the official file"):
        fashion_mnist.fetch("file.gz", MD5, tmp_path, "http://127.0.0.1:9")


def test_fashion_pictures_are_rescaled_to_32_with_their_range():
    images = np.zeros((1, 28, 28), np.uint8)
    images[0, :, 14:] = 255
    slices = fashion_mnist.to_slices(images)
    assert slices.pixels.shape == (1, 32, 32)
    assert slices.pixels[0, 0, 0] == -1
    assert slices.pixels[0, 31, 31] == 1


def test_tshirts_are_split_4900_1400_700():
    labels = np.repeat(np.arange(10), 7000)
    parts = fashion_mnist.tshirt_split(labels)
    assert [len(part) for part in parts] == [4900, 1400, 700]
    assert len(np.unique(np.concatenate(parts))) == 7000
