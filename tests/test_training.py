from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch

from tests.support.trainings import OPTIONS, tiny
from training import companions, devices, processes, publish, resume, run
from training.augmentation import augment, background_noise, filled, patches_at, picked
from training.config import Architecture, Augmentation
from training.data import load_data
from training.presets import PRESETS
from training.processes import Share
from training.vae_task import VAETask, loss_terms

ROOT = Path(__file__).resolve().parents[1]


def test_a_broken_scan_among_good_ones_is_skipped_named_and_counted(brain_volume, tmp_path, capsys):
    for index in range(3):
        nib.save(nib.Nifti1Image(brain_volume.data, brain_volume.affine), tmp_path / f"s{index}.nii.gz")
    (tmp_path / "broken.nii.gz").write_bytes(b"\x1f\x8b rubbish")
    data = load_data(tiny(tmp_path / "out", data=str(tmp_path)))
    assert "1 of 4 scans are left out" in capsys.readouterr().out
    assert data.skipped == ("broken.nii.gz is a damaged or cut-off gzip file; copy or download it again.",)
    assert len(data.train.names) == 1


def test_scans_whose_brain_was_extracted_are_named(brain_volume, head, tmp_path, capsys):
    for index in range(3):
        nib.save(nib.Nifti1Image(brain_volume.data, brain_volume.affine), tmp_path / f"s{index}.nii.gz")
    nib.save(nib.Nifti1Image(head[0].data, head[0].affine), tmp_path / "whole.nii.gz")
    data = load_data(tiny(tmp_path / "out", data=str(tmp_path)))
    said = capsys.readouterr().out.replace("\n", " ")
    assert "The brain of 1 of 4 scans was extracted first: whole." in said
    assert data.skipped == ()


@pytest.mark.parametrize("arguments", [["--data", "none-such"], ["--data", "synthetic:1"]])
def test_unusable_data_is_one_sentence_and_exit_2(arguments, tmp_path, capsys):
    assert run.main(["quick", *arguments, "--out", str(tmp_path / "x")]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_no_process_starts_before_its_precision_is_chosen(tmp_path):
    with pytest.raises(ValueError, match="got auto"):
        processes.launch(tiny(tmp_path, precision="auto"))


@pytest.mark.parametrize(("card", "processor"), [(False, True), (True, False)])
def test_precision_is_that_of_the_device_in_use(card, processor, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: card)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": processor})
    for device, native in (("cuda", card), ("cpu", processor)):
        assert devices.native_precision(device) == ("bf16-mixed" if native else "32-true")


@pytest.mark.skipif(torch.cuda.is_available(), reason="CUDA is here")
def test_a_device_that_is_not_there_is_one_sentence_and_exit_2(tmp_path, capsys):
    assert run.main(["quick", "--device", "cuda", "--out", str(tmp_path / "x")]) == 2
    said = capsys.readouterr().err.strip()
    assert said == "No CUDA device is at hand, or this PyTorch was built without CUDA; give --device cpu or leave it out."
    for program, words in ((companions, ["denoiser", "--checkpoint", str(tmp_path)]), (publish, [str(tmp_path)])):
        assert program.main([*words, "--device", "cuda"]) == 2
        assert capsys.readouterr().err.strip() == said


@pytest.mark.parametrize(("cuda", "runtime", "asked", "found"), [
    (False, False, "auto", "cpu"), (True, False, "auto", "cpu"), (False, True, "auto", "cpu"), (True, True, "auto", "cuda"),
    (True, True, "cpu", "cpu"), (True, False, "cuda", "cuda"),
])  # fmt: skip
def test_graphs_are_opened_on_a_card_that_torch_and_onnx_runtime_both_have(cuda, runtime, asked, found, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(devices, "has_cuda", lambda: runtime)
    assert devices.graphs_on(asked).keywords == {"device": found}


def stopped(config):
    """A network and its optimizer after a step, saved as by a training that was killed."""
    network = torch.nn.Linear(3, 2)
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    resume.save(config, resume.RunState().after(1, {"validation_loss": 1.0}, network), network, optimizer)


@pytest.mark.filterwarnings("ignore:.*copying from a non-meta parameter")
@pytest.mark.parametrize("device", ["meta", *(["cuda"] if torch.cuda.is_available() else [])])
def test_the_moments_of_a_resumed_training_are_where_its_weights_are(device, tmp_path):
    config = tiny(tmp_path / "out")
    stopped(config)
    network = torch.nn.Linear(3, 2, device=device)
    optimizer = torch.optim.Adam(network.parameters())
    assert resume.load(config, network, optimizer).epoch == 1
    for weights in network.parameters():
        assert optimizer.state[weights]["exp_avg"].device.type == device
        assert optimizer.state[weights]["exp_avg_sq"].shape == weights.shape


def test_a_training_is_resumed_once_its_weights_are_where_they_are_trained(tmp_path, monkeypatch):
    class EndError(Exception):
        pass

    def load(config, network, optimizer):
        raise EndError({weights.device.type for weights in network.parameters()})

    config = tiny(tmp_path / "out")
    _, fabric = processes.launch(config)
    monkeypatch.setattr(fabric, "setup", lambda network, optimizer: (network.to("meta"), optimizer))
    monkeypatch.setattr(resume, "load", load)
    with pytest.raises(EndError, match="meta"):
        run.fit(fabric, config)


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_a_step_of_every_preset_at_its_full_size(preset):
    config = PRESETS[preset][1]
    import models

    torch.manual_seed(0)
    network = models.build(config.architecture.to_dict())
    size = config.architecture.image_size
    images, mask = torch.rand(2, 1, size, size) * 2 - 1, torch.ones(2, 1, size, size, dtype=torch.bool)
    terms = loss_terms(network, config, images, mask, torch.randn(2, config.architecture.latent_size), images)
    terms["loss"].backward()
    assert all(torch.isfinite(value) for value in terms.values())
    assert all(p.grad is None or torch.isfinite(p.grad).all() for p in network.parameters())


def test_the_thesis_presets_are_literal():
    slices, patches = (PRESETS[f"thesis-{images}-1mm"][1] for images in ("slices", "patches"))
    assert slices.architecture == Architecture(image_size=224, latent_size=128, width=64)
    assert (patches.architecture.image_size, patches.architecture.latent_size, patches.learning_rate) == (32, 64, 5e-5)
    assert slices.learning_rate == 1e-4
    pixels, mask = torch.rand(2, 1, 224, 224) * 2 - 1, torch.rand(2, 1, 224, 224) > 0.5
    for preset in (slices, patches):
        assert (preset.batch_size, preset.weight_decay, preset.background) == (64, 1e-5, "noise")
        assert (preset.bias, preset.contrast, preset.averaged) == ("kept", "z", False)
        assert torch.equal(augment(pixels, mask, preset.augmentation, torch.Generator())[0], pixels)
        assert preset.loss.entropy_weight > 0


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


NOTHING = dict(flip=False, rotation_degrees=0, scale=0, shift_pixels=0, elastic_pixels=0, gamma=0, bias=0)


def test_a_curve_keeps_the_order_of_intensities_and_both_ends():
    pixels = torch.linspace(-1, 1, 32 * 32).view(1, 1, 32, 32).repeat(4, 1, 1, 1)
    mask = torch.ones_like(pixels, dtype=torch.bool)
    bent, _ = augment(pixels, mask, Augmentation(**NOTHING, curve=0.5), torch.Generator().manual_seed(0))
    assert (bent.flatten(1).diff() > 0).all()
    torch.testing.assert_close(bent.flatten(1)[:, [0, -1]], torch.tensor([[-1.0, 1.0]]).repeat(4, 1))
    assert (bent - pixels).abs().amax((1, 2, 3)).min() > 0.02


def test_a_blur_and_noise_have_the_strength_that_is_asked_for_and_keep_to_the_mask():
    pixels, mask = torch.zeros(64, 1, 33, 33), torch.zeros(64, 1, 33, 33, dtype=torch.bool)
    mask[..., :20] = True
    pixels[..., 20:] = -1  # what lies outside must not come in
    pixels[:, :, 10, 10] = 1
    blurred, _ = augment(pixels, mask, Augmentation(**NOTHING, blur_pixels=0.8), torch.Generator().manual_seed(0))
    assert (blurred[mask] >= 0).all()
    assert torch.equal(blurred[~mask], pixels[~mask])
    inside = blurred.where(mask, 0).sum((1, 2, 3))
    torch.testing.assert_close(inside, torch.ones(64), atol=0.02, rtol=0)
    assert blurred[:, 0, 10, 10].min() < 0.5 < blurred[:, 0, 10, 10].max()
    flat, everywhere = torch.zeros(256, 1, 32, 32), torch.ones(256, 1, 32, 32, dtype=torch.bool)
    noisy, _ = augment(flat, everywhere, Augmentation(**NOTHING, noise=0.05), torch.Generator().manual_seed(0))
    assert noisy.std().item() == pytest.approx(0.05, rel=0.1)


DEVICE = "cuda" if torch.cuda.is_available() else "meta"  # without a card: does every step stay where the images are?
EVERYTHING = Augmentation(curve=0.3, blur_pixels=0.4, noise=0.03)


def test_a_batch_is_augmented_alike_on_any_device():
    mask = torch.rand(4, 1, 48, 48, generator=torch.Generator().manual_seed(1)) > 0.3
    pixels = torch.rand(4, 1, 48, 48, generator=torch.Generator().manual_seed(2)) * 2 - 1
    ours = augment(pixels, mask, EVERYTHING, torch.Generator().manual_seed(0))
    theirs = augment(pixels.to(DEVICE), mask.to(DEVICE), EVERYTHING, torch.Generator().manual_seed(0))
    noise = background_noise("noise", pixels.shape, torch.Generator().manual_seed(0)).to(DEVICE)
    assert {found.device.type for found in (*theirs, filled(*theirs, "noise", noise))} == {DEVICE}
    assert [(found.shape, found.dtype) for found in theirs] == [(found.shape, found.dtype) for found in ours]
    if DEVICE == "cuda":
        assert torch.equal(theirs[1].cpu(), ours[1])
        assert (theirs[0].cpu() - ours[0]).abs().max() < 1e-4


def test_noise_fills_the_background_alone_with_deviation_a_third():
    pixels, mask = torch.full((4, 1, 64, 64), 0.5), torch.zeros(4, 1, 64, 64, dtype=torch.bool)
    mask[..., :32] = True
    noisy = filled(pixels, mask, "noise", background_noise("noise", pixels.shape, torch.Generator().manual_seed(0)))
    assert (noisy[mask] == 0.5).all()
    assert noisy[~mask].std().item() == pytest.approx(1 / 3, abs=0.01)


def test_random_patches_are_centred_in_the_brain():
    mask = torch.zeros(1, 1, 96, 96, dtype=torch.bool)
    mask[..., 40:60, 40:60] = True
    patches, brain = patches_at(mask.float(), mask, 32, torch.rand(1, 20, dtype=torch.float64))
    assert patches.shape == (20, 1, 32, 32)
    assert brain[:, 0, 16, 16].all()
    assert np.array_equal(patches.bool().numpy(), brain.numpy())


def test_pixels_are_picked_as_multinomial_picks_them():
    weights = torch.rand(5, 400, generator=torch.Generator().manual_seed(1)) * torch.tensor([[1.0], [1], [1], [1], [0]])
    draws = torch.rand(5, 50, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    everywhere = torch.where(weights.sum(1, keepdim=True) == 0, 1.0, weights)
    theirs = torch.multinomial(everywhere, 50, replacement=True, generator=torch.Generator().manual_seed(2))
    assert torch.equal(picked(weights, draws), theirs)


@pytest.mark.parametrize("images", ["slices", "patches"])
def test_processes_share_the_batch_that_one_would_make(images, thin_cohort, tmp_path):
    architecture = Architecture(image_size=32 if images == "patches" else 96, latent_size=4)
    config = tiny(tmp_path, images=images, architecture=architecture, augmentation=EVERYTHING, patches_per_slice=4)
    task = VAETask(config, thin_cohort, torch.device("cpu"))
    rows = torch.arange(24)[: task.seen(24)]
    draws = task.draw(len(rows), torch.Generator().manual_seed(0))
    whole = task.example(task.fetch(rows, Share()), draws, Share())
    assert len(whole[0]) == 24
    fetched = [task.fetch(rows, Share(rank, 3)) for rank in range(3)]
    assert max(len(one.rows) for one in fetched) < len(rows), "none makes all of it"
    parts = [task.example(fetched[rank], draws, Share(rank, 3)) for rank in range(3)]
    assert [len(part[0]) for part in parts] == [8, 8, 8]
    for ours, theirs in zip(map(torch.cat, zip(*parts, strict=True)), whole, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


def test_a_start_of_another_architecture_is_one_sentence(tiny_checkpoint_folder, tmp_path, capsys):
    arguments = ["--out", str(tmp_path / "other"), "--start-from", str(tiny_checkpoint_folder), "--architecture.latent-size", "8"]
    assert run.main([*OPTIONS, *arguments]) == 2
    assert "tiny has another architecture" in capsys.readouterr().err
