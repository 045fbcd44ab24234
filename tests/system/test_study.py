"""A study in several processes, on a cluster, and killed: the bytes of one unbroken run. The validator of BIDS reads it."""

import io
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from tests.support.bids import FEW_MAPS, issues, put, study_tree, written
from tests.support.disks import full_disk
from tests.support.scans import scan_file
from tests.support.waiting import PATIENCE_SECONDS
from vaead_core.cohorts.synthetic import synthetic_brain
from vaead_core.pipeline import scoring
from vaead_core.pipeline.findings import Verdict
from vaead_core.study.derivatives import Reader
from vaead_core.study.scan_zip import scan_zip

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def tree(tmp_path_factory, head):
    tree = study_tree(tmp_path_factory.mktemp("study") / "raw")
    put(tree, "sub-06/anat/sub-06_acq-mprage_T1w.nii.gz", scan_file(head[0]))
    return tree


@pytest.fixture(scope="module")
def words(tiny_checkpoint_folder):
    return ["participant", "--checkpoint", str(tiny_checkpoint_folder), "--scorers", *FEW_MAPS]


def study(tree: Path, out: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "vaead_core", str(tree), str(out), *words]


@pytest.fixture(scope="module")
def whole(tree, words) -> Path:
    """The results of one process that nobody killed."""
    out = tree.parent / "whole"
    assert subprocess.run(study(tree, out, *words), cwd=ROOT, check=False).returncode == 2
    return out


def test_two_processes_write_the_bytes_of_one(tree, words, whole):
    out = tree.parent / "two"
    assert subprocess.run(study(tree, out, *words, "--n-procs", "2"), cwd=ROOT, check=False).returncode == 2
    assert written(out) == written(whole)


def test_dask_workers_write_the_bytes_of_one_process(tree, words, whole, dask_cluster):
    out = tree.parent / "dask"
    assert subprocess.run(study(tree, out, *words, "--dask", dask_cluster), cwd=ROOT, check=False).returncode == 2
    assert written(out) == written(whole)


def test_a_study_that_was_killed_twice_goes_on_to_the_same_bytes(tree, words, whole):
    """Once while a scan's files are being written, once when another one is finished; what was finished stays as it is."""
    out, finished = tree.parent / "killed", set()
    for pattern in ("*_mask.nii.gz", "*_scores.json"):
        before = set(out.rglob(pattern))
        process = subprocess.Popen(study(tree, out, *words), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and not set(out.rglob(pattern)) - before:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert process.returncode == -signal.SIGKILL
        finished |= {(path, path.stat().st_mtime_ns) for path in out.rglob("*_scores.json")}
    assert written(out) != written(whole)
    assert finished
    assert subprocess.run(study(tree, out, *words), cwd=ROOT, check=False).returncode == 2
    assert written(out) == written(whole)
    assert all(path.stat().st_mtime_ns == at for path, at in finished)


def test_a_process_that_is_ended_from_outside_is_one_sentence_and_a_full_disk_too(tree, words):
    out = tree.parent / "ended"
    command = study(tree, out, *words, "--n-procs", "2")
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while not list(out.rglob("*_scores.json")):
        time.sleep(0.05)
    for worker in workers(process.pid):
        os.kill(worker, signal.SIGKILL)
    said = process.communicate(timeout=PATIENCE_SECONDS)[1].strip().splitlines()
    assert process.returncode == 2
    assert said[-1].startswith("A process was ended from outside, most likely for lack of memory.")
    assert "Traceback" not in "".join(said)
    small = tree.parent / "small"
    small.mkdir()
    command = [*full_disk(small, kilobytes=600), *study(tree, small, *words)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert (
        ran.stderr.strip().splitlines()[-1] == f"{small} could not be written (No space left on device); finished scans are kept."
    )


def workers(process: int) -> list[int]:
    """The processes of loky that compute for one."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((place / "stat").read_text().rpartition(")")[2].split()[1])
            words = (place / "cmdline").read_text()
        except OSError:
            continue
        if parent == process and "popen_loky" in words:
            found.append(int(place.name))
    return found


def test_the_validator_of_bids_finds_no_error(tree, whole, tmp_path):
    assert subprocess.run(study(tree, whole, "group"), cwd=ROOT, check=False).returncode == 0
    assert issues(whole, tmp_path, "error") == []
    (whole / ".bidsignore").rename(tmp_path / "bidsignore")
    assert "NOT_INCLUDED" in {one["code"] for one in issues(whole, tmp_path, "error")}, "it looks at names"
    (tmp_path / "bidsignore").rename(whole / ".bidsignore")


def test_the_validator_of_bids_finds_no_error_in_the_zip_of_one_scan(tiny_checkpoint, tmp_path):
    prepared = scoring.prepare(synthetic_brain(7, 1, 60.0), tiny_checkpoint)
    results = [scoring.score(prepared, tiny_checkpoint, name) for name in FEW_MAPS]
    judged = Reader({"residual": 0.01}, lambda *_: Verdict("reject", "a vessel"))
    packed = scan_zip("DOE 7.nii", prepared, results, tiny_checkpoint, "scan", 0.05, judged)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        archive.extractall(tmp_path / "out")
    assert "reject" in (tmp_path / "out/sub-DOE7/anat/sub-DOE7_space-T1w_desc-residual_dseg.tsv").read_text()
    assert issues(tmp_path / "out", tmp_path, "error") == []
