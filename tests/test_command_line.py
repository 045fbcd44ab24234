import json
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from vaead_core import scorers
from vaead_core.__main__ import main
from vaead_core.cohorts.samples import load_sample
from vaead_core.computing.onnx_graph import has_cuda

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def scan_file(tmp_path_factory):
    sample = load_sample("healthy brain B with a painted lesion")
    path = tmp_path_factory.mktemp("scan") / "case.nii.gz"
    nib.save(nib.Nifti1Image(sample.scan.data, sample.scan.affine), path)
    nib.save(nib.Nifti1Image(sample.truth.astype(np.uint8), sample.scan.affine), path.parent / "truth.nii.gz")
    return path


def test_every_scorer_writes_a_map_and_the_record(scan_file, tiny_checkpoint_folder, tiny_checkpoint, tmp_path, capsys):
    truth = str(scan_file.parent / "truth.nii.gz")
    arguments = ["score", str(scan_file), "--checkpoint", str(tiny_checkpoint_folder), "--out", str(tmp_path)]
    assert main([*arguments, "--truth", truth]) == 0
    printed = capsys.readouterr().out
    maps = scorers.map_scorers(tiny_checkpoint.model)
    for name in maps:
        image = nib.load(tmp_path / f"case_{name}.nii.gz")
        assert image.shape == nib.load(scan_file).shape
        assert f"{name} " in printed
    assert printed.count("prevalence") == len(maps)
    record = json.loads((tmp_path / "case_scores.json").read_text())
    assert set(record["scorers"]) == set(scorers.scorers_of(tiny_checkpoint.model))
    residual = record["scorers"]["residual"]
    assert len(residual["slices"]["top10"]) == len(record["slice_positions"])
    laid = record["registration"]
    assert laid["least_similarity"] < laid["similarity"] <= 1
    assert 0.9 < laid["covered_share"] <= 1
    assert laid["rotation_degrees"] < 15
    assert set(residual["thresholds_by_healthy_false_positive_rate"]) == {"0.01", "0.05", "0.1"}
    assert str(scan_file.parent) not in json.dumps(record), "no path in what is handed on"


def test_one_bad_scan_does_not_stop_the_rest(scan_file, tiny_checkpoint_folder, tmp_path, capsys):
    bad = tmp_path / "bad.nii.gz"
    bad.write_bytes(b"\x1f\x8b not a scan")
    out = tmp_path / "out"
    options = ["--checkpoint", str(tiny_checkpoint_folder), "--scorers", "residual", "--out", str(out)]
    assert main(["score", str(bad), str(scan_file), *options]) == 2
    assert capsys.readouterr().err == "bad.nii.gz is a damaged or cut-off gzip file; copy or download it again.\n"
    assert sorted(path.name for path in out.iterdir()) == ["case_residual.nii.gz", "case_scores.json"]


def test_scans_of_the_same_file_name_have_files_of_their_own(scan_file, tiny_checkpoint_folder, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "t1.nii.gz").symlink_to(scan_file)
    options = ["--checkpoint", str(tiny_checkpoint_folder), "--scorers", "residual", "--out", str(tmp_path / "out")]
    assert main(["score", str(tmp_path / "a" / "t1.nii.gz"), str(tmp_path / "b" / "t1.nii.gz"), *options]) == 0
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == ["a_t1_residual.nii.gz", "a_t1_scores.json", "b_t1_residual.nii.gz", "b_t1_scores.json"]


def test_an_empty_truth_leaves_ap_undefined_and_the_maps_are_written(scan_file, tiny_checkpoint_folder, tmp_path, capsys):
    truth = nib.load(scan_file.parent / "truth.nii.gz")
    empty = tmp_path / "none.nii.gz"
    nib.save(nib.Nifti1Image(np.zeros(truth.shape, np.uint8), truth.affine), empty)
    options = ["--checkpoint", str(tiny_checkpoint_folder), "--scorers", "residual", "--out", str(tmp_path / "out")]
    assert main(["score", str(scan_file), "--truth", str(empty), *options]) == 0
    printed = capsys.readouterr().out
    assert "AP undefined  prevalence 0.0000" in printed
    assert "none.nii.gz marks nothing" in printed
    assert (tmp_path / "out" / "case_residual.nii.gz").is_file()


def test_truth_of_another_place_changes_no_ap_in_silence(scan_file, tiny_checkpoint_folder, tmp_path, capsys):
    truth = nib.load(scan_file.parent / "truth.nii.gz")
    moved, elsewhere = tmp_path / "moved.nii.gz", tmp_path / "elsewhere.nii.gz"
    values = np.roll(np.asarray(truth.dataobj), (3, -2), (0, 1))
    shifted = truth.affine.copy()
    shifted[:3, 3] -= truth.affine[:3, :3] @ [3, -2, 0]  # the header says where it was before it was rolled
    nib.save(nib.Nifti1Image(values, shifted), moved)
    shifted = shifted.copy()
    shifted[0, 3] += 100
    nib.save(nib.Nifti1Image(values, shifted), elsewhere)
    options = ["--checkpoint", str(tiny_checkpoint_folder), "--scorers", "voxel_atlas", "--out", str(tmp_path / "out")]
    said = []
    for mask in (scan_file.parent / "truth.nii.gz", moved):
        assert main(["score", str(scan_file), "--truth", str(mask), *options]) == 0
        said.append(capsys.readouterr().out)
    assert said[0].splitlines()[0] == said[1].splitlines()[0]
    assert "another grid" in said[1]
    assert main(["score", str(scan_file), "--truth", str(elsewhere), *options]) == 2
    assert "lies in the brain of case.nii.gz" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--checkpoint", "none"], "is not a checkpoint folder"),
        (["--scorers", "magic"], "There is no scorer magic; choose among"),
        (["--scorers", "patch_error"], "patch_error is made for models of patches"),
        (["--truth", "one.nii", "two.nii"], "2 masks for 1 scans were given"),
        pytest.param(
            ["--device", "cuda"], "has no CUDA; install onnxruntime-gpu", marks=pytest.mark.skipif(has_cuda(), reason="it has")
        ),
    ],
)
def test_bad_arguments_are_one_sentence_and_exit_2(arguments, message, tiny_checkpoint_folder, scan_file, tmp_path, capsys):
    options = ["--checkpoint", str(tiny_checkpoint_folder), "--out", str(tmp_path), *arguments]
    assert main(["score", str(scan_file), *options]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) == 1


def test_a_cards_experiment_is_not_given_to_a_cluster(tmp_path, capsys):
    arguments = ["slices", "--device", "cuda", "--dask", "tcp://127.0.0.1:1", "--out", str(tmp_path)]
    assert main(["evaluate", *arguments]) == 2
    assert "Dask's workers compute on their processors." in capsys.readouterr().err


def test_the_command_line_never_imports_torch():
    check = "import sys, vaead_core.__main__; sys.exit('torch' in sys.modules or 'streamlit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], cwd=ROOT, check=False).returncode == 0
