import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from conftest import prepared, tiny

from models.export import weights_from_onnx
from training import run
from training.augmentation import augment, fill_noise, random_patches
from training.config import Architecture, Augmentation
from training.data import load_data
from training.presets import PRESETS
from training.run import loss_terms, train
from vaead_core.checkpoints.checkpoint import Checkpoint

ROOT = Path(__file__).resolve().parents[1]


def options(out: Path, *more: str) -> list[str]:
    return [
        *("quick", "--data", "synthetic:4", "--steps-per-epoch", "3"),
        *("--batch-size", "16", "--architecture.width", "8", "--architecture.latent-size", "16"),
        *("--precision", "32-true", "--out", str(out), *more),
    ]


@pytest.fixture
def at_hand(tiny_cohort, monkeypatch):
    """The cohort is not prepared again."""
    monkeypatch.setattr(run, "load_data", lambda config: tiny_cohort)


def environment() -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1"}


def test_a_killed_training_resumes_to_the_weights_of_an_unbroken_one(tiny_cohort_file, tmp_path):
    def command(out: Path) -> list[str]:
        return [*prepared("training.run", tiny_cohort_file), *options(out, "--epochs", "4")]

    whole, broken = tmp_path / "whole", tmp_path / "broken"
    subprocess.run(command(whole), cwd=ROOT, env=environment(), check=True, capture_output=True)
    state = tmp_path / "broken.unfinished" / "state.safetensors"
    process = subprocess.Popen(command(broken), cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
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
    subprocess.run(command, cwd=ROOT, env=environment(), check=True, timeout=250)
    assert Checkpoint.load(out).description["training"]["devices"] == 2


def test_other_settings_do_not_go_on_with_an_unfinished_training(at_hand, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(run, "publish", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    arguments = options(tmp_path / "model", "--epochs", "1")
    assert run.main(arguments) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert run.main([*arguments, "--learning-rate", "0.1"]) == 2
    assert "unfinished training with other settings" in capsys.readouterr().err


def test_a_broken_scan_among_good_ones_is_skipped_named_and_counted(brain_volume, tmp_path, capsys):
    for index in range(3):
        nib.save(nib.Nifti1Image(brain_volume.data, brain_volume.affine), tmp_path / f"s{index}.nii.gz")
    (tmp_path / "broken.nii.gz").write_bytes(b"\x1f\x8b rubbish")
    data = load_data(tiny(tmp_path / "out", data=str(tmp_path)))
    assert "1 of 4 scans are left out" in capsys.readouterr().out
    assert data.skipped == ("broken.nii.gz is a damaged or cut-off gzip file; copy or download it again.",)
    assert len(data.train.names) == 1


@pytest.mark.parametrize("arguments", [["--data", "none-such"], ["--data", "synthetic:1"]])
def test_unusable_data_is_one_sentence_and_exit_2(arguments, tmp_path, capsys):
    assert run.main(["quick", *arguments, "--out", str(tmp_path / "x")]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_a_step_of_every_preset_at_its_full_size(preset):
    config = PRESETS[preset][1]
    import models

    torch.manual_seed(0)
    network = models.build(config.architecture.to_dict())
    size = config.architecture.image_size
    images, mask = torch.rand(2, 1, size, size) * 2 - 1, torch.ones(2, 1, size, size, dtype=torch.bool)
    terms = loss_terms(network, images, mask, config, torch.randn(2, config.architecture.latent_size))
    terms["loss"].backward()
    assert all(torch.isfinite(value) for value in terms.values())
    assert all(p.grad is None or torch.isfinite(p.grad).all() for p in network.parameters())


def test_one_mm_presets_are_the_thesis_networks():
    assert PRESETS["brain-slices-1mm"][1].architecture == Architecture(image_size=224, latent_size=128, width=64)
    patches = PRESETS["brain-patches-1mm"][1]
    assert (patches.architecture.latent_size, patches.learning_rate, patches.batch_size) == (64, 5e-5, 64)


def test_a_patch_model_and_a_size_constraint_train(tiny_cohort, tmp_path):
    config = PRESETS["brain-patches-2mm"][1]
    small = {"data": "synthetic:4", "epochs": 1, "steps_per_epoch": 2, "out": tmp_path / "patches", "batch_size": 16}
    loss = config.loss.model_copy(update={"size_weight": 1.0})
    small |= {"architecture": Architecture(image_size=32, latent_size=8, width=8), "loss": loss}
    train(config.model_copy(update=small), tiny_cohort)
    assert Checkpoint.load(tmp_path / "patches").model.stride == 16


def test_augmentation_without_amplitudes_changes_nothing():
    pixels = torch.rand(2, 1, 32, 32) * 2 - 1
    mask = torch.rand(2, 1, 32, 32) > 0.5
    none = Augmentation(flip=False, rotation_degrees=0, scale=0, shift_pixels=0, elastic_pixels=0, gamma=0, bias=0)
    same, same_mask = augment(pixels, mask, none, torch.Generator())
    assert torch.equal(same, pixels)
    assert torch.equal(same_mask, mask)


def test_a_flip_alone_mirrors_left_and_right():
    pixels, mask = torch.rand(8, 1, 32, 32), torch.ones(8, 1, 32, 32, dtype=torch.bool)
    flip = Augmentation(flip=True, rotation_degrees=0, scale=0, shift_pixels=0, elastic_pixels=0, gamma=0, bias=0)
    moved, _ = augment(pixels, mask, flip, torch.Generator().manual_seed(0))
    kinds = {
        "same" if torch.allclose(m, p, atol=1e-4) else "mirrored" if torch.allclose(m, p.flip(-1), atol=1e-4) else "other"
        for m, p in zip(moved, pixels, strict=True)
    }
    assert kinds == {"same", "mirrored"}


def test_noise_fills_the_background_alone_with_deviation_a_third():
    pixels, mask = torch.full((4, 1, 64, 64), 0.5), torch.zeros(4, 1, 64, 64, dtype=torch.bool)
    mask[..., :32] = True
    filled = fill_noise(pixels, mask, "noise", torch.Generator().manual_seed(0))
    assert (filled[mask] == 0.5).all()
    assert filled[~mask].std().item() == pytest.approx(1 / 3, abs=0.01)


def test_random_patches_are_centred_in_the_brain():
    mask = torch.zeros(1, 1, 96, 96, dtype=torch.bool)
    mask[..., 40:60, 40:60] = True
    patches, brain = random_patches(mask.float(), mask, 32, 20, torch.Generator().manual_seed(0))
    assert patches.shape == (20, 1, 32, 32)
    assert brain[:, 0, 16, 16].all()
    assert np.array_equal(patches.bool().numpy(), brain.numpy())


def test_a_training_starts_from_the_weights_of_another(tiny_checkpoint_folder, tiny_cohort, tmp_path):
    unmoved = tiny(tmp_path / "unmoved", start_from=tiny_checkpoint_folder, learning_rate=1e-12, weight_decay=0.0, epochs=1)
    train(unmoved, tiny_cohort)
    ours, theirs = weights_from_onnx(tmp_path / "unmoved"), weights_from_onnx(tiny_checkpoint_folder)
    for name in theirs:
        if "running" not in name:
            torch.testing.assert_close(ours[name], theirs[name], atol=1e-6, rtol=1e-3)
    assert Checkpoint.load(tmp_path / "unmoved").description["training"]["start_from"] == "tiny", "no path in what is handed on"


def test_a_start_of_another_architecture_is_one_sentence(tiny_checkpoint_folder, tmp_path, capsys):
    arguments = options(tmp_path / "other", "--start-from", str(tiny_checkpoint_folder), "--architecture.latent-size", "8")
    assert run.main(arguments) == 2
    assert "tiny has another architecture" in capsys.readouterr().err
