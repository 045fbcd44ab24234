"""What is left of a training when the machine fails it."""

import os
import shutil
import subprocess
import sys
from functools import partial

import pytest

from tests.support.disks import begun_with, full_disk, read_only
from tests.support.faults import ROOT, Unbroken, command, kill_often
from tests.support.trainings import FEW, OPTIONS
from vaead_core.checkpoints.checkpoint import Checkpoint

EPOCHS = 10


def trained(words: list[str], **more: str) -> tuple[int, str]:
    """Exit status and last sentence of a training."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"} | more
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True)
    return done.returncode, done.stderr.strip().splitlines()[-1] if done.stderr.strip() else ""


@pytest.fixture(scope="module")
def words(thin_cohort_file):
    """The command of one training, by where it is to write."""
    return partial(command, cohort_file=thin_cohort_file, epochs=EPOCHS, scorers=FEW)


@pytest.fixture(scope="module")
def unbroken(words, tmp_path_factory) -> Unbroken:
    """What it comes to when nothing fails."""
    return Unbroken.run(words, tmp_path_factory.mktemp("unbroken") / "model")


def test_a_training_killed_at_random_moments_leaves_whole_checkpoints_and_the_same_weights(
    tiny_checkpoint_folder, unbroken, tmp_path
):
    """`python -m tests.support.faults 20` does the same, longer."""
    found = kill_often(3, tiny_checkpoint_folder, unbroken, tmp_path)
    assert found.wrong == []
    assert found.kills == 3
    assert found.ends >= 1


def test_a_training_on_a_full_disk_ends_with_one_sentence_and_goes_on_when_there_is_room(words, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    out = disk / "model"
    status, said = trained([*full_disk(disk, kilobytes=600), *words(out)])
    assert (status, said) == (2, f"{out} could not be written (No space left on device); what was there before is whole.")
    assert trained(words(out))[0] == 0
    assert Checkpoint.load(out).name == "model"


def test_slices_that_neither_memory_nor_disk_have_room_for_are_one_sentence_and_leave_nothing(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    code = "import sys; from training import gathered, run; gathered.memory_left = lambda: 0; sys.exit(run.main(sys.argv[1:]))"
    words = [sys.executable, "-c", code, *OPTIONS, "--data", "synthetic:3", "--out", str(disk / "model")]
    status, said = trained([*full_disk(disk, kilobytes=600), *words])
    assert status == 2
    assert said == (
        f"Memory has no room for the slices of this cohort, and the disk of {disk} has none either; "
        "give an --out on another disk, or train on fewer scans or at 2 mm."
    )
    assert not list(disk.iterdir())


def test_a_training_into_a_folder_that_is_read_only_ends_with_one_sentence(tiny_checkpoint_folder, words, tmp_path):
    out = shutil.copytree(tiny_checkpoint_folder, tmp_path / "model")
    before = Checkpoint.load(out).digest
    status, said = trained([*read_only(tmp_path), *words(out)])
    assert (status, said) == (2, f"{out} could not be written (Read-only file system); what was there before is whole.")
    assert Checkpoint.load(out).digest == before


def test_a_training_goes_on_whatever_the_clock_says(unbroken, words, tmp_path):
    jumps = "import time\nreal, calls = time.time, [0]\ndef jumping():\n    calls[0] += 1\n"
    jumps += "    return real() + (-1) ** calls[0] * 86_400 * calls[0]\ntime.time = jumping\n"
    assert trained(words(tmp_path / "model"), **begun_with(tmp_path / "begin", jumps))[0] == 0
    assert Checkpoint.load(tmp_path / "model").history == Checkpoint.load(unbroken.checkpoint).history
