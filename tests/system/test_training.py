"""Whole trainings of seconds: killed, resumed, on two processes, from the weights of another."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from models.export import weights_from_onnx
from tests.support.trainings import FEW, OPTIONS, only_scorers, prepared, tiny
from tests.support.waiting import PATIENCE_SECONDS
from training import processes, run
from training.config import Architecture
from training.presets import PRESETS
from training.run import fit, train
from vaead_core.checkpoints.checkpoint import Checkpoint

ROOT = Path(__file__).resolve().parents[2]


def options(out: Path, *more: str) -> list[str]:
    return [*OPTIONS, "--out", str(out), *more]


@pytest.fixture
def at_hand(thin_cohort, monkeypatch):
    """The cohort is not prepared again."""
    monkeypatch.setattr(run, "load_data", lambda config: thin_cohort)


def environment() -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1"}


def test_a_killed_training_resumes_to_the_weights_of_an_unbroken_one(thin_cohort_file, tmp_path):
    def command(out: Path) -> list[str]:
        return [*prepared("training.run", thin_cohort_file, FEW), *options(out, "--epochs", "4")]

    whole, broken = tmp_path / "whole", tmp_path / "broken"
    subprocess.run(command(whole), cwd=ROOT, env=environment(), check=True, capture_output=True)
    state = tmp_path / "broken.unfinished" / "state.safetensors"
    process = subprocess.Popen(command(broken), cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not state.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.returncode == -signal.SIGKILL
    assert not broken.exists(), "killed before the end"
    rows = (state.parent / "history.csv").read_text().splitlines() if (state.parent / "history.csv").exists() else []
    assert all(len(row.split(",")) == len(rows[0].split(",")) for row in rows), "whoever follows it reads whole rows"
    done = subprocess.run(command(broken), cwd=ROOT, env=environment(), check=True, capture_output=True)
    assert b"epoch 1 " not in done.stdout, "the first epoch is not trained again"
    ours, theirs = weights_from_onnx(broken), weights_from_onnx(whole)
    assert ours.keys() == theirs.keys()
    for name in ours:
        assert torch.equal(ours[name], theirs[name]), name
    assert Checkpoint.load(broken).history == Checkpoint.load(whole).history
    assert not state.parent.exists()


def test_two_processes_train_one_valid_checkpoint(tmp_path):
    out = tmp_path / "two"
    command = [sys.executable, "-m", "training.run", *options(out, "--epochs", "1", "--devices", "2", "--data", "synthetic:3")]
    subprocess.run(command, cwd=ROOT, env=environment(), check=True, timeout=PATIENCE_SECONDS)
    assert Checkpoint.load(out).provenance.training.settings["devices"] == 2


def test_other_settings_do_not_go_on_with_an_unfinished_training(at_hand, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(run, "publish", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    arguments = options(tmp_path / "model", "--epochs", "1")
    assert run.main(arguments) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert run.main([*arguments, "--learning-rate", "0.1"]) == 2
    assert "unfinished training with other settings" in capsys.readouterr().err


def test_a_patch_model_and_a_size_constraint_train(thin_cohort, tmp_path):
    config = PRESETS["brain-patches-2mm"][1]
    small = {"data": "synthetic:4", "epochs": 1, "steps_per_epoch": 2, "out": tmp_path / "patches", "batch_size": 16}
    loss = config.loss.model_copy(update={"size_weight": 1.0})
    small |= {"architecture": Architecture(image_size=32, latent_size=8, width=8), "loss": loss}
    train(config.model_copy(update=small), thin_cohort)
    assert Checkpoint.load(tmp_path / "patches").model.stride == 16


SMALLEST = Architecture(name="simple_vae", image_size=96, latent_size=16)  # the others compile for minutes


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_a_compiled_training_comes_to_what_one_that_is_not_comes_to(thin_cohort, tmp_path):
    rows = []
    for compiled in (False, True):
        config = tiny(tmp_path / f"compiled-{compiled}", compile=compiled, epochs=1, steps_per_epoch=2, architecture=SMALLEST)
        config, fabric = processes.launch(config)
        network, _, history = fit(fabric, config, thin_cohort)
        rows.append(history.splitlines()[1].split(","))
        assert not any(name.startswith("_orig_mod") for name in network.state_dict())
    np.testing.assert_allclose(*([float(value) for value in row] for row in rows), rtol=5e-3)


def test_a_training_starts_from_the_weights_of_another(tiny_checkpoint_folder, thin_cohort, tmp_path):
    unmoved = tiny(tmp_path / "unmoved", start_from=tiny_checkpoint_folder, learning_rate=1e-12, weight_decay=0.0, epochs=1)
    with only_scorers(*FEW):
        train(unmoved, thin_cohort)
    ours, theirs = weights_from_onnx(tmp_path / "unmoved"), weights_from_onnx(tiny_checkpoint_folder)
    for name in theirs:
        if "running" not in name:
            torch.testing.assert_close(ours[name], theirs[name], atol=1e-6, rtol=1e-3)
    settings = Checkpoint.load(tmp_path / "unmoved").provenance.training.settings
    assert settings["start_from"] == "tiny", "no path in what is handed on"
