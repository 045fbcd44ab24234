"""DICOM series are read as they lie in the world, and refused in one sentence that names no patient."""

import gzip
import io
import warnings
import zipfile

import nibabel as nib
import numpy as np
import pydicom
import pytest

from tests.support.dicom_files import (
    AXIAL,
    CORONAL,
    OBLIQUE,
    ORIGIN,
    PATIENT,
    SAGITTAL,
    SHAPE,
    SPACING,
    write_series,
    write_volume,
    zipped,
)
from vaead_core.__main__ import main
from vaead_core.errors import ScanError
from vaead_core.scans.dicom_series import SeveralSeriesError, find_series
from vaead_core.scans.nifti import map_to_nifti
from vaead_core.scans.reading import read_scan


def expected_affine(directions) -> np.ndarray:
    """As the standard says (PS3.3, C.7.6.2.1.1), in RAS+: columns, rows, slices to mm."""
    row, column = np.array(directions, float)
    lps = np.eye(4)
    lps[:3, 0], lps[:3, 1], lps[:3, 2] = row * SPACING[0], column * SPACING[1], np.cross(row, column) * SPACING[2]
    lps[:3, 3] = ORIGIN
    return np.diag([-1, -1, 1, 1]) @ lps


@pytest.mark.parametrize("order", [1, -1], ids=["in order", "reversed"])
@pytest.mark.parametrize("directions", [AXIAL, SAGITTAL, CORONAL, OBLIQUE], ids=["axial", "sagittal", "coronal", "oblique"])
@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_each_voxel_keeps_its_value_and_its_place_in_the_world(tmp_path, directions, order, packed):
    values = write_series(tmp_path / "series", directions, order=order)
    scan = read_scan(zipped(tmp_path / "series"), "series.zip") if packed else read_scan(tmp_path / "series")
    affine = expected_affine(directions)
    assert nib.aff2axcodes(scan.affine) == ("R", "A", "S")
    for voxel in np.ndindex(SHAPE):
        at = np.rint(np.linalg.inv(scan.affine) @ affine @ [*voxel, 1])[:3].astype(int)
        assert scan.data[tuple(at)] == values[voxel]
    corners = np.array([[0, 0, 0, 1], [9, 7, 5, 1]]).T
    places = np.linalg.inv(scan.affine) @ affine @ corners
    np.testing.assert_allclose(places, np.rint(places), atol=1e-4)


def test_the_geometry_is_that_of_nibabels_own_reader(tmp_path):
    write_series(tmp_path, OBLIQUE)
    with warnings.catch_warnings(action="ignore"):  # that it is experimental
        from nibabel.nicom.dicomwrappers import wrapper_from_file

    files = sorted(tmp_path.iterdir(), key=lambda path: pydicom.dcmread(path).InstanceNumber)
    first = wrapper_from_file(files[0]).affine
    scan = read_scan(tmp_path)
    file_affine = scan.affine @ np.linalg.inv(scan.native.voxels_from_ras)
    np.testing.assert_allclose(
        file_affine[:, 0], (np.diag([-1, -1, 1, 1]) @ first)[:, 1], atol=1e-5
    )  # nibabel's first axis: rows
    np.testing.assert_allclose(file_affine[:, 1], (np.diag([-1, -1, 1, 1]) @ first)[:, 0], atol=1e-5)
    np.testing.assert_allclose(file_affine[:, 3], (np.diag([-1, -1, 1, 1]) @ first)[:, 3], atol=1e-5)


def test_a_map_is_written_on_the_grid_of_the_series(tmp_path):
    values = write_series(tmp_path / "series", SAGITTAL)
    scan = read_scan(tmp_path / "series")
    back = nib.Nifti1Image.from_bytes(gzip.decompress(map_to_nifti(scan.data, scan)))
    np.testing.assert_array_equal(back.get_fdata(), values)
    np.testing.assert_allclose(back.affine, expected_affine(SAGITTAL), atol=1e-4)
    assert PATIENT.encode() not in back.to_bytes()


@pytest.mark.parametrize("slopes", [(2.0,), (0.5,), (0.5, 2.0, 1.25)], ids=["whole", "broken", "another for each slice"])
def test_values_are_rescaled_slice_by_slice(tmp_path, slopes):
    values = write_series(tmp_path, slopes=slopes)
    scan = read_scan(tmp_path)
    np.testing.assert_allclose(np.sort(scan.data.ravel()), np.sort(values.ravel()), rtol=1e-6)


def test_of_several_series_one_is_chosen_by_number_or_uid(tmp_path):
    first, second = write_series(tmp_path / "a", number=2), write_series(tmp_path / "b", number=12)
    with pytest.raises(SeveralSeriesError) as refusal:
        read_scan(tmp_path, "study")
    said = str(refusal.value)
    assert said.startswith(
        "study holds several series; choose one by its number. It holds series 2: 6 files of 10 × 8 pixels, TR"
    )
    assert "series 12: 6 files" in said
    assert PATIENT not in said
    assert [one.number for one in refusal.value.series] == ["2", "12"]
    assert sorted(read_scan(tmp_path, series="2").data.ravel()) == sorted(first.ravel())
    assert sorted(read_scan(tmp_path, series=refusal.value.series[1].uid).data.ravel()) == sorted(second.ravel())
    with pytest.raises(ScanError, match="study has no such series; it holds series 2"):
        read_scan(tmp_path, "study", "7")


def test_series_of_one_number_are_told_apart_by_their_uids(tmp_path):
    write_series(tmp_path / "a", number=2), write_series(tmp_path / "b", number=2)
    with pytest.raises(SeveralSeriesError, match="choose one by its UID") as refusal:
        read_scan(tmp_path, "study", "2")
    for one in refusal.value.series:
        assert f"UID {one.uid}" in str(refusal.value)
        assert read_scan(tmp_path, "study", one.uid).data.shape == SHAPE


@pytest.mark.filterwarnings("ignore:.*UI")  # pydicom's, of such a value
def test_a_damaged_uid_neither_fills_the_page_nor_names_whoever_stands_in_it(tmp_path):
    write_series(tmp_path / "a", number=2)
    write_series(tmp_path / "b", number=2, SeriesInstanceUID=f"{PATIENT} " * 400)
    with pytest.raises(SeveralSeriesError) as refusal:
        read_scan(tmp_path, "study")
    assert PATIENT not in str(refusal.value)
    assert len(str(refusal.value)) < 300


def test_pictures_beside_a_series_are_no_choice(tmp_path):
    write_series(tmp_path / "a", number=2)
    write_series(tmp_path / "b", number=3)
    for path in sorted((tmp_path / "b").iterdir())[1:]:
        path.unlink()
    (tmp_path / "a" / "notes.txt").write_text("no picture")
    assert read_scan(tmp_path).data.shape == (10, 8, 6)
    assert [len(one.slices) for one in find_series(tmp_path, "study")] == [6, 1]


def position(k: int, shift=0.0) -> list[float]:
    return [ORIGIN[0] + shift, ORIGIN[1], ORIGIN[2] + k * SPACING[2]]


BROKEN = {
    "several images at one place": ({"ImagePositionPatient": lambda k: position(k // 2)}, "several images at one place"),
    "different directions": (
        {"ImageOrientationPatient": lambda k: [1, 0, 0, 0, 1, 0] if k % 2 else [1, 0, 0, 0, 0, -1]},
        "lie in different directions, as those of a localizer",
    ),
    "tilted gantry": ({"ImagePositionPatient": lambda k: position(k, shift=k)}, "as of a tilted gantry"),
    "different sizes": ({"PixelSpacing": lambda k: [1, 1] if k else [2, 2]}, "differ in size"),
    "skewed": ({"ImageOrientationPatient": [1, 0, 0, 0.6, 0.8, 0]}, "not at right angles"),
    "tiny voxels": ({"PixelSpacing": [0.001, 0.001]}, "which no scanner makes"),
    "constant": ({"PixelData": bytes(2 * 80)}, "must have contrast"),
    "multi-frame": ({"NumberOfFrames": 2, "PixelData": bytes(4 * 80)}, "multi-frame DICOM file"),
    "no place": ({"ImagePositionPatient": None}, "holds no DICOM image that says where it lies"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_regular_stack_is_one_sentence(tmp_path, name):
    changes, message = BROKEN[name]
    write_series(tmp_path / "series", **changes)
    with pytest.raises(ScanError, match=message) as refusal:
        read_scan(tmp_path / "series")
    assert PATIENT not in str(refusal.value)
    assert str(refusal.value).count("\n") == 0


@pytest.mark.parametrize("lost", [1, 3])
def test_a_missing_slice_is_said(tmp_path, lost):
    write_series(tmp_path / "series")
    (tmp_path / "series" / f"{PATIENT}_{500 + lost}.dcm").unlink()
    with pytest.raises(ScanError, match=f"series lacks 1 of its slices, the first after slice {lost}; copy the whole series"):
        read_scan(tmp_path / "series")


def test_a_damaged_slice_at_the_end_is_told_of(tmp_path):
    write_series(tmp_path / "series")
    last = tmp_path / "series" / f"{PATIENT}_505.dcm"
    last.write_bytes(last.read_bytes()[:-100])
    scan = read_scan(tmp_path / "series")
    assert scan.data.shape == (10, 8, 5)
    assert scan.notes == ("1 DICOM file beside the series could not be read as an image; check that no slice is lost.",)


def test_one_slice_is_no_scan(tmp_path):
    write_series(tmp_path / "series")
    for path in sorted((tmp_path / "series").iterdir())[1:]:
        path.unlink()
    with pytest.raises(ScanError, match="series holds one slice; give the folder of a whole series"):
        read_scan(tmp_path / "series")


def archive(entries: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        for name, held in entries.items():
            made.writestr(name, held)
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            lambda: archive({"a.txt": b"no picture"}),
            "s.zip holds no DICOM image that says where it lies; give the folder of a series",
        ),
        (lambda: archive({f"{n}": b"" for n in range(5001)}), "s.zip holds 5001 files, more than the 5000 that are read."),
        (
            lambda: archive({"a": b"x" * 99})[:-30],
            "s.zip is not a zip archive that vaead reads; pack the folder of a DICOM series",
        ),
        (lambda: archive(dict.fromkeys("abcd", bytes(300 << 20))), "s.zip unpacks to more than 1024 MB"),
    ],
    ids=["no picture", "many files", "cut off", "bomb"],
)
def test_an_archive_that_is_no_series_is_one_sentence(content, message, tmp_path):
    with pytest.raises(ScanError, match=message):
        read_scan(content(), "s.zip", scratch=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_nothing_of_an_archive_lies_outside_the_scratch_folder_or_stays(tmp_path):
    write_series(tmp_path / "series")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    files = {f"../../{path.name}": path.read_bytes() for path in (tmp_path / "series").iterdir()}
    before = set(tmp_path.rglob("*"))
    assert read_scan(archive(files), "s.zip", scratch=scratch).data.shape == (10, 8, 6)
    assert set(tmp_path.rglob("*")) == before


def test_one_file_of_a_series_is_told_apart_from_a_nifti_file(tmp_path):
    write_series(tmp_path)
    with pytest.raises(ScanError, match=r"slice\.dcm is one file of a DICOM series; give its folder, or a .zip of that"):
        read_scan(next(tmp_path.iterdir()), "slice.dcm")


def test_a_series_is_scored_and_its_maps_lie_on_its_grid(brain_volume, tiny_checkpoint_folder, tmp_path, capfd):
    write_volume(brain_volume, tmp_path / "series")
    (tmp_path / "case.zip").write_bytes(zipped(tmp_path / "series"))
    out = tmp_path / "out"
    options = ["--checkpoint", str(tiny_checkpoint_folder), "--scorers", "residual", "--out", str(out), "--series", "3"]
    assert main(["score", str(tmp_path / "series"), str(tmp_path / "case.zip"), *options]) == 0
    said = capfd.readouterr()
    assert said.err == ""
    assert sorted(path.name for path in out.iterdir()) == [
        "case_residual.nii.gz", "case_scores.json", "series_residual.nii.gz", "series_scores.json",
    ]  # fmt: skip
    image = nib.load(out / "case_residual.nii.gz")
    np.testing.assert_array_equal(image.get_fdata(), nib.load(out / "series_residual.nii.gz").get_fdata())
    marked = np.argwhere(image.get_fdata() != 0) @ image.affine[:3, :3].T + image.affine[:3, 3]
    brain = np.argwhere(brain_volume.mask) @ brain_volume.affine[:3, :3].T + brain_volume.affine[:3, 3]
    np.testing.assert_allclose(marked.mean(0), brain.mean(0), atol=1)
    written = b"".join(path.read_bytes() for path in out.iterdir()) + (said.out + said.err).encode()
    assert b"DOE" not in written
    assert b"4711" not in (said.out + said.err).encode()
