"""Processes that torchrun starts, two machines on the loopback among them, train what one process trains."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from tests.support.fitted import STEPS
from tests.support.trainings import tiny
from tests.support.waiting import PATIENCE_SECONDS
from training import processes
from vaead_core.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
BATCH = 16
RATE = tiny(Path()).learning_rate
PROGRAM = "tests/support/fitted.py"


def torchrun(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "torch.distributed.run", *arguments]


def run_together(commands: list[list[str]], expected: int = 0) -> str:
    """Runs the commands side by side and gives what they wrote; each must end with the status `expected`."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    running = [subprocess.Popen(command, cwd=ROOT, env=environment, **pipes) for command in commands]
    said = [process.communicate(timeout=PATIENCE_SECONDS)[0] for process in running]
    assert [process.returncode for process in running] == [expected] * len(running), "\n".join(said)
    return "\n".join(said)


def two_machines(cohort_file: Path, first: Path, second: Path) -> list[list[str]]:
    """The commands of two machines of one process each, which meet on the loopback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        meeting = [
            "--nnodes",
            "2",
            "--nproc-per-node",
            "1",
            "--master-addr",
            "127.0.0.1",
            "--master-port",
            str(free.getsockname()[1]),
        ]
    program = [PROGRAM, str(cohort_file)]
    return [torchrun(*meeting, "--node-rank", str(n), *program, str(out), str(BATCH)) for n, out in enumerate((first, second))]


@pytest.fixture(scope="module")
def alone(tiny_cohort_file, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("alone")
    run_together([[sys.executable, PROGRAM, str(tiny_cohort_file), str(out), str(BATCH)]])
    return out


@pytest.fixture(scope="module")
def together(tiny_cohort_file, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("together")
    run_together(two_machines(tiny_cohort_file, out, out))
    return out


def tolerance(weights: dict[str, torch.Tensor], image_size: int = 96) -> float:
    """How far rounding may move a weight.

    A gradient is a sum over the pixels n of a batch behind d layers: its rounding is r = d √n u of the layer's largest
    (Higham & Mary 2019, in the mean). Adam divides a gradient by its own size, so a weight whose gradient is s of the largest
    moves by rate · r / s a step; of N weights the smallest s is about 1/N. Three steps: 6e-10, where a weight moves by 1e-3.
    In float32 r N is above 1: there only Adam's own bound holds, 2 · rate a step.
    """
    layers = sum(value.ndim > 1 for value in weights.values())
    count = sum(value.numel() for value in weights.values())
    return STEPS * RATE * layers * np.sqrt(BATCH * image_size**2) * 2.0**-53 * count


def test_two_machines_train_to_the_weights_and_norms_of_one_process(alone, together):
    ours, theirs = (load_file(folder / "weights.safetensors") for folder in (together, alone))
    allowed = tolerance(theirs)
    assert allowed < RATE / 1e5, "far below a single step"
    assert ours.keys() == theirs.keys()
    assert any("running_var" in name for name in ours)
    for name, value in theirs.items():
        assert value.dtype in (torch.float64, torch.int64)
        assert (ours[name] - value).abs().max() <= allowed, name


def test_the_history_holds_the_means_over_all_processes(alone, together):
    """The losses are float32 sums over a batch's images in another order."""
    ours, theirs = (pd.read_csv(folder / "history.csv") for folder in (together, alone))
    np.testing.assert_allclose(ours, theirs, rtol=BATCH * 2.0**-24)


def test_machines_that_see_different_folders_are_told_so(together, tiny_cohort_file, tmp_path):
    said = run_together(two_machines(tiny_cohort_file, together, tmp_path), expected=1)
    assert "unfinished trainings of model at different epochs (1, 0); give an --out that all machines share" in said


def test_a_batch_that_cannot_be_shared_evenly_is_one_sentence(tiny_cohort_file, tmp_path):
    said = run_together([torchrun("--nproc-per-node", "2", PROGRAM, str(tiny_cohort_file), str(tmp_path), "15")], 1)
    assert "A batch of 15 images cannot be shared evenly among 2 processes; give a --batch-size that is a multiple" in said


def test_another_number_of_devices_than_torchrun_started_is_one_sentence(tmp_path, monkeypatch):
    for name, value in {"TORCHELASTIC_RUN_ID": "any", "WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match=r"torchrun started 4 processes and --devices asks for 3; leave --devices out"):
        processes.launch(tiny(tmp_path, devices=3))
