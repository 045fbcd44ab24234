"""All of one scan as a .zip, beside what `vaead BIDS_DIR OUT participant` writes of it."""

import gzip
import hashlib
import io
import json
import zipfile

import nibabel as nib
import numpy as np
import pytest

from tests.support.bids import FEW_MAPS, put, written
from tests.support.scans import scan_file
from vaead_core.__main__ import main
from vaead_core.cohorts.synthetic import synthetic_brain
from vaead_core.pipeline import scoring
from vaead_core.pipeline.findings import Verdict
from vaead_core.scans.nifti import read_nifti
from vaead_core.study.derivatives import Reader
from vaead_core.study.scan_zip import COMMAND, scan_zip

SCAN = "sub-07_ses-a_T1w.nii.gz"
ANAT = "sub-07/ses-a/anat/sub-07_ses-a"
OF_THE_PAGE = {"README.md", "dataset_description.json"}  # which tell of one scan


@pytest.fixture(scope="module")
def content():
    return gzip.compress(scan_file(synthetic_brain(7, 1, 60.0)), 1, mtime=0)


@pytest.fixture(scope="module")
def given(content, tiny_checkpoint):
    """What the page has of the scan."""
    prepared = scoring.prepare(read_nifti(content, SCAN), tiny_checkpoint)
    return prepared, [scoring.score(prepared, tiny_checkpoint, name) for name in FEW_MAPS], tiny_checkpoint, "scan", 0.05


def unpacked(packed: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in sorted(archive.namelist())}


@pytest.fixture(scope="module")
def studied(content, tiny_checkpoint_folder, tmp_path_factory):
    """The files of the command."""
    base = tmp_path_factory.mktemp("study")
    put(base / "raw", f"sub-07/ses-a/anat/{SCAN}", gzip.decompress(content))
    options = ["participant", "--checkpoint", str(tiny_checkpoint_folder), "--scorers", *FEW_MAPS]
    assert main([str(base / "raw"), str(base / "out"), *options]) == 0
    return written(base / "out")


def test_the_zip_holds_the_files_of_the_command_and_their_bytes(content, given, studied):
    found = unpacked(scan_zip(SCAN, *given, Reader(), content))
    assert list(found) == list(studied)
    told = {name for name in found if name.endswith((".json", ".html"))} | OF_THE_PAGE
    assert {name for name in found if found[name] != studied[name]} <= told
    for name in told - OF_THE_PAGE:
        other = studied[name].decode()
        if name.endswith("_scores.json"):
            record, theirs = json.loads(found[name]), json.loads(other)
            assert record["made_of"].pop("command") == record.pop("command") == COMMAND
            assert theirs["made_of"].pop("command") == theirs.pop("command")
            assert record["made_of"]["scan"] == hashlib.sha256(content).hexdigest()
            assert record == theirs
        elif name.endswith(".json"):
            assert json.loads(found[name]) == json.loads(other) | {"CommandLine": COMMAND}
        else:
            command = json.loads(studied[f"{ANAT}_scores.json"])["command"]
            assert found[name].decode() == other.replace(command, COMMAND)
    about = json.loads(found["dataset_description.json"])
    assert about["Name"] == "Anomaly maps of sub-07"
    assert about["GeneratedBy"] == json.loads(studied["dataset_description.json"])["GeneratedBy"]


def test_the_same_results_are_the_same_bytes(content, given):
    assert scan_zip(SCAN, *given, Reader(), content) == scan_zip(SCAN, *given, Reader(), content)


def test_a_threshold_that_was_moved_and_verdicts_are_in_it_and_said(content, given):
    before = unpacked(scan_zip(SCAN, *given, Reader(), content))
    threshold = 0.7 * json.loads(before[f"{ANAT}_space-T1w_desc-residual_statmap.json"])["Threshold"]
    header, *rows = (line.split("\t") for line in unpacked(
        scan_zip(SCAN, *given, Reader({"residual": threshold}), content)
    )[f"{ANAT}_space-T1w_desc-residual_dseg.tsv"].decode().splitlines())  # fmt: skip
    assert header[-1] == "region", "nobody judged"
    labels = image(before[f"{ANAT}_space-T1w_desc-residual_dseg.nii.gz"])
    places = np.array([[float(row[header.index(f"peak_{axis}")]) for axis in "xyz"] for row in rows])
    second = tuple(np.rint(np.linalg.inv(labels.affine) @ [*places[1], 1])[:3].astype(int).tolist())
    said = {("residual", second): Verdict("reject", "a\tvessel")}
    reader = Reader({"residual": threshold}, lambda name, voxel: said.get((name, voxel), Verdict()))
    found = unpacked(scan_zip(SCAN, *given, reader, content))

    values = image(found[f"{ANAT}_space-T1w_desc-residual_statmap.nii.gz"]).get_fdata()
    np.testing.assert_array_equal(image(found[f"{ANAT}_space-T1w_desc-residual_mask.nii.gz"]).get_fdata() > 0, values > threshold)
    told = json.loads(found[f"{ANAT}_space-T1w_desc-residual_mask.json"])
    assert told["Threshold"] == threshold
    healthy = given[1][0].healthy
    assert told["ThresholdHealthyPercentile"] == pytest.approx(100 * (1 - healthy.rate(threshold)))
    assert told["ThresholdHealthyPercentile"] < 95
    moved = "Whoever looked at the maps moved the threshold of Residual."
    assert told["Cautions"][0] == moved
    header, *rows = (line.split("\t") for line in found[f"{ANAT}_space-T1w_desc-residual_dseg.tsv"].decode().splitlines())
    assert header[-2:] == ["verdict", "comment"]
    assert [row[-2:] for row in rows[:3]] == [["n/a", "n/a"], ["reject", "a vessel"], ["n/a", "n/a"]]
    assert {"verdict", "comment"} <= json.loads(found[f"{ANAT}_space-T1w_desc-residual_dseg.json"]).keys()
    other = f"{ANAT}_space-T1w_desc-voxelAtlas_dseg.tsv"
    assert found[other] == before[other], "nobody judged that"
    page = found["sub-07_ses-a.html"].decode()
    assert page.count("moved by a reader") == 1
    assert moved in page


def image(content: bytes) -> nib.Nifti1Image:
    return nib.Nifti1Image.from_bytes(gzip.decompress(content))


@pytest.mark.parametrize(
    ("called", "label"),
    [
        ("../../etc/passwd.nii", "sub-etcpasswd"),
        ("Ünï <b>.nii.gz", "sub-nb"),
        ("series.zip", "sub-series"),
        ("1" * 300, "sub-" + "1" * 40),
    ],
)
def test_whatever_a_file_is_called_the_names_in_the_zip_are_safe(given, called, label):
    found = unpacked(scan_zip(called, *given[:1], given[1][:1], *given[2:], Reader()))
    places = {name.split("/")[0] for name in found} - {".bidsignore", *OF_THE_PAGE}
    assert places == {label, f"{label}.html"}
    assert all(name.isascii() and ".." not in name for name in found)
    record = json.loads(found[f"{label}/anat/{label}_scores.json"])
    assert record["scan"] == f"{label}/anat/{label}_T1w.nii{'' if called.endswith('.nii') else '.gz'}"
    assert record["made_of"]["scan"] is None
