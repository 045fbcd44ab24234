"""What the machine lacks is never taken for damage of what is read: nobody is told to copy again what is whole."""

import errno
import gzip
import os
import shutil
import urllib.error
import urllib.request
import zipfile
import zlib
from pathlib import Path

import nibabel as nib
import numpy as np
import onnxruntime
import pytest
from onnxruntime.capi.onnxruntime_pybind11_state import RuntimeException

from pages.shared import inputs
from pages.shared.checkpoints import views
from vaead_core.__main__ import main
from vaead_core.checkpoints import archive
from vaead_core.checkpoints.archive import check, packed, unpack
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.checkpoints.summary import facts
from vaead_core.checkpoints.untrusted import check_arrays, open_zip
from vaead_core.cohorts import fashion_mnist
from vaead_core.cohorts.nifti_folder import mood_toys
from vaead_core.errors import CheckpointError, CohortError, InputError, exit_status
from vaead_core.scans.nifti import read_nifti
from vaead_core.scans.registration import descent, register

FAULTS = [
    *(OSError(number, os.strerror(number)) for number in (errno.EMFILE, errno.EIO, errno.EACCES)),
    MemoryError(),
    RuntimeError("std::bad_alloc"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory"),
    RuntimeException("[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : bad allocation"),
]
GONE, NO_GZIP = FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)), gzip.BadGzipFile("Not a gzipped file")


@pytest.fixture(scope="module")
def whole(tiny_checkpoint_folder, tmp_path_factory) -> dict:
    """One of each kind that is read, in good order: folders and files by name, an archive's bytes."""
    place = tmp_path_factory.mktemp("whole")
    (place / "idx.gz").write_bytes(gzip.compress(b"\0\0\x08\1\0\0\0\2\5\6"))
    nib.save(nib.Nifti1Image(np.arange(64, dtype=np.float32).reshape(4, 4, 4), np.eye(4)), place / "scan.nii.gz")
    for part in ("toy", "toy_label/pixel", "toy_label/sample"):
        (place / "mood" / "brain_toy" / part).mkdir(parents=True)
    for part in ("toy", "toy_label/pixel"):
        shutil.copy(place / "scan.nii.gz", place / "mood" / "brain_toy" / part / "toy_0.nii.gz")
    (place / "mood" / "brain_toy" / "toy_label" / "sample" / "toy_0.nii.gz.txt").write_text("0")
    (place / "empty").mkdir()
    return {path.name: path for path in place.iterdir()} | {
        "checkpoint": tiny_checkpoint_folder,
        "archive": packed(tiny_checkpoint_folder),
        "arrays": (tiny_checkpoint_folder / "latents.npz").read_bytes(),
        "scan": read_nifti(place / "scan.nii.gz"),
    }


READERS = {
    "checkpoint": lambda at: Checkpoint.load(at["checkpoint"]),
    "network": lambda at: check(at["checkpoint"]),
    "facts": lambda at: facts(at["checkpoint"]),
    "archive": lambda at: open_zip(at["archive"], "a.zip", 64, 1 << 30),
    "upload": lambda at: unpack(at["archive"], "a.zip", at["empty"]),
    "arrays": lambda at: check_arrays(at["arrays"], "a.npz"),
    "scan": lambda at: read_nifti(at["scan.nii.gz"]),
    "registration": lambda at: register(at["scan"]),
    "Fashion-MNIST": lambda at: fashion_mnist._idx(at["idx.gz"]),
    "MOOD": lambda at: mood_toys(at["mood"]),
    "download": lambda at: fashion_mnist.fetch("file.gz", "", at["empty"], "http://localhost:9"),
}
CALLS = [  # what reads, the call at its bottom, what damage makes that raise, the sentence for damage
    ("checkpoint", Path, "read_bytes", GONE, "is not a checkpoint folder"),
    ("checkpoint", Path, "iterdir", GONE, "is no longer there"),
    ("checkpoint", np, "load", zlib.error("damaged"), "cannot be read; train or copy it again"),
    ("checkpoint", onnxruntime, "InferenceSession", RuntimeException("No graph"), "cannot be read; train or copy it again"),
    ("network", archive, "is_consistent", KeyError("setting"), "does not run"),
    ("facts", Path, "read_bytes", GONE, "cannot be read; copy the checkpoint again"),
    ("facts", Path, "stat", GONE, "cannot be read; copy the checkpoint again"),
    ("archive", zipfile, "ZipFile", zipfile.BadZipFile("damaged"), "is a damaged zip archive"),
    ("upload", zipfile.ZipExtFile, "read", zlib.error("damaged"), "in the upload is damaged"),
    ("arrays", zipfile.ZipFile, "open", zlib.error("damaged"), "is damaged"),
    ("scan", gzip.GzipFile, "read", NO_GZIP, "damaged or cut-off gzip file"),
    ("scan", nib.Nifti1Header, "get_best_affine", KeyError("sform"), "is not a NIfTI file"),
    ("registration", descent, "coarse", RuntimeError("ITK's"), "could not be brought to the atlas"),
    ("Fashion-MNIST", gzip, "decompress", NO_GZIP, "is not a Fashion-MNIST idx file"),
    ("Fashion-MNIST", Path, "read_bytes", GONE, "is not a Fashion-MNIST idx file"),
    ("MOOD", Path, "read_text", GONE, "must hold one number"),
    ("download", Path, "mkdir", NotADirectoryError(errno.ENOTDIR, "Not a directory"), "could not be downloaded"),
    ("download", urllib.request, "urlopen", ConnectionResetError(errno.ECONNRESET, "reset"), "could not be downloaded"),
    ("download", urllib.request, "urlopen", urllib.error.URLError("no route"), "could not be downloaded"),
]
NAMES = [f"{name}, {call}, {type(damage).__name__}" for name, _, call, damage, _ in CALLS]


def raising(error: Exception):
    def call(*given, **named):
        raise error

    return call


@pytest.mark.parametrize(("name", "owner", "call", "damage", "sentence"), CALLS, ids=NAMES)
def test_a_fault_comes_through_and_damage_is_one_sentence(whole, monkeypatch, name, owner, call, damage, sentence):
    for fault in FAULTS:
        with monkeypatch.context() as patch:
            patch.setattr(owner, call, raising(fault))
            with pytest.raises(type(fault)) as caught:
                READERS[name](whole)
        assert caught.value is fault
    monkeypatch.setattr(owner, call, raising(damage))
    with pytest.raises(InputError, match=sentence):
        READERS[name](whole)


def test_a_programmers_mistake_is_not_taken_for_a_foreign_file(whole, monkeypatch):
    monkeypatch.setattr(gzip, "decompress", raising(TypeError("a programmer's")))
    with pytest.raises(TypeError, match="a programmer's"):
        READERS["Fashion-MNIST"](whole)


def test_a_checkpoint_that_nobody_may_read_leaves_the_list_to_the_others(whole, monkeypatch):
    said = []
    monkeypatch.setattr(views, "facts", lambda folder: raising(FAULTS[2])() if folder.name == "locked" else facts(folder))
    monkeypatch.setattr(views.st, "error", said.append)
    assert list(views.listing({"locked": Path("locked"), "tiny": whole["checkpoint"]})) == ["tiny"]
    assert said == [
        "locked: A file could not be read or written (Permission denied); try again, or tell whoever runs this server."
    ]
    monkeypatch.setattr(inputs, "facts", raising(FAULTS[2]))
    assert inputs._of_brains(Path("locked")), "chosen, it has its sentence"


DISK = "{out} could not be written (No space left on device); nothing is lost.\n"
ELSEWHERE = "other could not be read or written (Permission denied); nothing is lost.\n"
NAMELESS = "A file could not be read or written (Input/output error); nothing is lost.\n"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), DISK),
        (PermissionError(errno.EACCES, "Permission denied", "other"), ELSEWHERE),
        (OSError(errno.EIO, "Input/output error"), NAMELESS),
    ],
    ids=["full", "another file", "broken"],
)
def test_the_command_line_blames_the_folder_for_results_only_where_it_is_known(tmp_path, capsys, error, said):
    assert exit_status(raising(error), tmp_path, "nothing is lost") == 2
    assert capsys.readouterr().err == said.format(out=tmp_path)


@pytest.mark.parametrize("fault", [FAULTS[0], FAULTS[3], FAULTS[-1]], ids=["files", "memory", "ONNX Runtime"])
def test_a_scan_that_meets_a_fault_does_not_stop_the_next(whole, monkeypatch, tmp_path, capsys, fault):
    command = ["score", "first.nii", "second.nii", "--checkpoint", str(whole["checkpoint"]), "--out", str(tmp_path / "maps")]
    monkeypatch.setattr("vaead_core.__main__.read_scan", raising(fault))
    assert main(command) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert "could not be read or written" in first or "not enough memory" in first
    assert second.replace("second", "first") == first
    monkeypatch.setattr(Checkpoint, "load", raising(fault))
    assert main(command) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("kind", [CheckpointError, CohortError])
def test_a_sentence_inside_a_reader_stays_as_it_is(whole, monkeypatch, kind):
    monkeypatch.setattr(archive, "is_consistent", raising(kind("Calibrate it again.")))
    with pytest.raises(kind, match="Calibrate it again"):
        check(whole["checkpoint"])
