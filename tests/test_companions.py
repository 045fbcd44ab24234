import shutil

import numpy as np
import pytest
import torch

from tests.support.trainings import untrained
from training.companion_tasks import TASKS, Denoiser
from training.randomness import generator
from training.synthetic_anomalies import Anomalies, with_anomalies
from vaead_core import scorers
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.checkpoints.untrusted import check_graph
from vaead_core.errors import CheckpointError
from vaead_core.inference.vae import COMPANIONS
from vaead_core.scorers import feature_reconstruction, restored, segmenter


class Nothing(torch.nn.Module):
    def forward(self, values):
        return torch.zeros_like(values)


@pytest.fixture(scope="module")
def brain(tiny_cohort):
    """Six healthy slices: images (6, 1, 96, 96), 0 outside the mask, the mask, and their positions."""
    slices = tiny_cohort.train.slices[20:50:5]
    mask = torch.from_numpy(slices.mask)[:, None]
    return torch.from_numpy(slices.pixels)[:, None] * mask, mask, torch.from_numpy(slices.position)


def example(task, brain):
    """Input and target of one draw."""
    return task.example(*brain, task.draw(brain[0].shape, generator(0)))


@pytest.mark.parametrize("name", COMPANIONS)
def test_a_further_network_is_of_operators_that_are_let_in(name, tiny_checkpoint_folder):
    check_graph((tiny_checkpoint_folder / f"{name}.onnx").read_bytes(), name)


def test_every_further_network_has_a_task_and_a_scorer():
    assert set(TASKS) == set(COMPANIONS) == {kind.needs.companion for kind in scorers.SCORERS.values()} - {None}


@pytest.mark.parametrize("seed", range(5))
def test_synthetic_anomalies_change_what_they_say_and_nothing_else(seed, brain):
    images, mask, _ = brain
    before = images.clone()
    changed, truth = with_anomalies(images, mask, Anomalies.draw(images.shape, generator(seed)))
    again, _ = with_anomalies(images, mask, Anomalies.draw(images.shape, generator(seed)))
    assert torch.equal(images, before)
    assert torch.equal(changed, again)
    assert changed.abs().max() <= 1
    assert truth.dtype == torch.bool
    assert not truth[~mask].any()
    assert torch.equal(changed[~mask], images[~mask])
    assert ((changed - images).abs()[truth] > 0).all()
    assert (changed - images).abs()[truth].mean() > 10 * (changed - images).abs()[mask & ~truth].mean()


def test_some_images_stay_healthy_and_most_do_not(brain):
    images, mask, _ = (part[:1].repeat(100, *[1] * (part.ndim - 1)) for part in brain)
    _, truth = with_anomalies(images, mask, Anomalies.draw(images.shape, generator(0)))
    assert 0.1 < float((truth.flatten(1).sum(1) == 0).float().mean()) < 0.5


def ellipses():
    """32 waves in an ellipse of 96 × 96 pixels, the same on every machine."""
    rows, columns = torch.meshgrid(torch.linspace(-1, 1, 96), torch.linspace(-1, 1, 96), indexing="ij")
    mask = ((rows / 0.85) ** 2 + (columns / 0.7) ** 2 < 1).repeat(32, 1, 1, 1)
    turn = torch.arange(32)[:, None, None, None] / 32
    return (0.6 * torch.sin(7 * rows + 6 * turn) * torch.cos(5 * columns - 4 * turn) * mask).float(), mask


FORMER = {  # quantiles .1, .25, .5, .75, .9 of 150 batches when each image was changed by itself
    "pixels": (17, 44, 127, 278, 460.8),
    "change": (0.058, 0.103, 0.190, 0.313, 0.458),
    "outside": (0.050, 0.080, 0.145, 0.243, 0.350),
}


def test_anomalies_made_together_are_distributed_as_those_made_one_by_one():
    images, mask = ellipses()
    found, healthy = {name: [] for name in FORMER}, []
    for seed in range(80):
        changed, truth = with_anomalies(images, mask, Anomalies.draw(images.shape, generator(seed)))
        change, pixels = (changed - images).abs().sum((1, 2, 3)), truth.sum((1, 2, 3))
        within = ((changed - images).abs() * truth).sum((1, 2, 3))
        healthy += (pixels == 0).tolist()
        some = pixels > 0
        found["pixels"] += pixels[some].tolist()
        found["change"] += (within / pixels)[some].tolist()
        found["outside"] += (1 - within / change)[some].tolist()
    assert np.mean(healthy) == pytest.approx(0.285, abs=0.03)
    for name, former in FORMER.items():
        np.testing.assert_allclose(np.quantile(found[name], (0.1, 0.25, 0.5, 0.75, 0.9)), former, rtol=0.12, err_msg=name)


def test_kinds_of_change_are_as_frequent_as_they_are_to_be():
    counts = np.sum([np.sum(Anomalies.draw((64, 1, 8, 8), generator(seed)).counts, 0) for seed in range(60)], 0)
    np.testing.assert_allclose(counts / (60 * 64 * 3 * 0.55 * 0.8), np.array([2, 2, 2, 1, 1, 1, 1, 2]) / 12, atol=0.015)


def test_an_image_has_the_same_anomalies_whatever_else_is_in_its_batch(brain):
    images, mask, _ = brain
    draws = Anomalies.draw(images.shape, generator(1))  # none of which brings another image in
    changed, truth = with_anomalies(images, mask, draws)
    others = torch.where(torch.arange(6)[:, None, None, None] == 4, images, 0.1 * mask)
    alone, own = with_anomalies(others, mask, draws)
    assert truth[4].any()
    torch.testing.assert_close(alone[4], changed[4])
    assert torch.equal(own[4], truth[4])


DEVICE = "cuda" if torch.cuda.is_available() else "meta"  # without a card: does every step stay where the images are?


def test_anomalies_are_alike_on_any_device():
    images, mask = ellipses()
    draws = Anomalies.draw(images.shape, generator(0))
    ours = with_anomalies(images, mask, draws)
    theirs = with_anomalies(images.to(DEVICE), mask.to(DEVICE), draws.to(torch.device(DEVICE)))
    assert {found.device.type for found in theirs} == {DEVICE}
    assert [(found.shape, found.dtype) for found in theirs] == [(found.shape, found.dtype) for found in ours]
    if DEVICE == "cuda":
        assert ((theirs[0].cpu() - ours[0]).abs() > 1e-3).float().mean() < 1e-3  # a pixel may be picked beside another
        assert (theirs[1].cpu() != ours[1]).float().mean() < 1e-3


def test_a_segmenter_sees_in_training_what_it_sees_in_a_scan(brain, tiny_cohort, tiny_checkpoint, monkeypatch):
    monkeypatch.setattr("training.companion_tasks.with_anomalies", lambda images, mask, draws: (images, mask & False))
    planes, _ = example(TASKS["segmenter"](tiny_checkpoint.model), brain)
    slices = tiny_cohort.train.slices[20:50:5]
    np.testing.assert_allclose(planes.numpy(), segmenter.planes(slices, tiny_checkpoint.model.reference["intensity"]), atol=1e-6)


def test_a_feature_autoencoder_sees_in_training_what_it_sees_in_a_scan(brain, tiny_cohort, tiny_checkpoint):
    slices = tiny_cohort.train.slices[20:50:5]
    assert slices.pixels[~slices.mask].std() > 0.1  # a scan's background is noise
    planes, _ = example(TASKS["feature_autoencoder"](tiny_checkpoint.model), brain)
    np.testing.assert_allclose(planes.numpy(), feature_reconstruction.planes(tiny_checkpoint.model, slices), atol=1e-5)


def test_a_denoiser_is_to_give_back_the_clean_slice(brain, tiny_checkpoint):
    images, mask, _ = brain
    task = Denoiser(tiny_checkpoint.model)
    seen, target = example(task, brain)
    assert torch.equal(target, images)
    assert 0.05 < float((seen - images)[mask].std()) < 0.3
    assert float(task.loss(target, target, mask.float())) == 0


def test_a_restorer_is_to_say_what_a_share_of_an_anomaly_changed(brain, tiny_checkpoint, monkeypatch):
    images, mask, _ = brain
    monkeypatch.setattr("training.companion_tasks.with_anomalies", lambda images, mask, draws: (images - 0.4 * mask, mask))
    task = TASKS["restorer"](tiny_checkpoint.model)
    seen, target = example(task, brain)
    severity = seen[:, -1:].amax((2, 3), keepdim=True)
    assert len(severity.unique()) == len(images)
    assert severity.min() > 0
    assert severity.max() < 1
    torch.testing.assert_close(target, -0.4 * severity * mask)
    torch.testing.assert_close(seen[:, :1], images + target)
    assert float(task.loss(target, target, mask.float())) == 0
    assert float(task.loss(target + 1, target, mask.float())) == pytest.approx(1)
    half = target * (torch.arange(target.shape[-1]) < 48)
    assert float(task.loss(half + 1, half, mask.float())) == pytest.approx(2)
    assert float(task.loss(half + (half != 0), half, mask.float())) == pytest.approx(1)


def test_a_restored_residual_is_the_mean_change_over_all_severities(tiny_checkpoint, tiny_cohort, monkeypatch):
    class Severity:
        def run(self, planes, names):
            return [-planes[:, -1:]]

    slices = tiny_cohort.test.slices[30:33]
    monkeypatch.setitem(tiny_checkpoint.model.companions, restored.NETWORK, Severity())
    tiny_checkpoint.model.forget()
    found = restored._Residual().score_map(tiny_checkpoint.model, slices)
    tiny_checkpoint.model.forget()
    np.testing.assert_allclose(found[slices.mask], np.mean(restored.SEVERITIES))
    assert not found[~slices.mask].any()


def test_a_feature_autoencoder_has_the_levels_that_it_is_given(tiny_checkpoint):
    def size(levels):
        return sum(
            weights.numel() for weights in TASKS["feature_autoencoder"](tiny_checkpoint.model).network(2, levels).parameters()
        )

    assert size(2) < size(4) < size(5)


def test_a_model_is_as_large_as_its_graphs_memories_and_reference(tiny_checkpoint):
    model = tiny_checkpoint.model
    graphs = model.vae.nbytes + sum(graph.nbytes for graph in model.companions.values())
    memories = sum(array.nbytes for memory in model.memory.values() for array in memory.values())
    places = model.reference.places.values()
    assert model.nbytes == graphs + memories + sum(place.mean.nbytes + place.deviation.nbytes for place in places)


def test_a_model_forgets_what_its_companion_networks_made_of_a_scan(tiny_checkpoint, tiny_cohort):
    model = tiny_checkpoint.model
    scorers.build("segmenter").score_map(model, tiny_cohort.test.slices[30:32])
    assert model._maps
    model.forget()
    assert not model._maps


def test_features_redrawn_as_they_are_differ_nowhere(brain, tiny_checkpoint):
    images, mask, _ = brain
    task = TASKS["feature_autoencoder"](tiny_checkpoint.model)
    features, _ = example(task, brain)
    network = task.network(2, 4).eval()
    network.body = torch.nn.Identity()
    assert float(network(features).abs().max()) < 1e-4
    network.body = Nothing()
    assert float(task.loss(network(features), images, mask.float())) > 0.4


def test_a_checkpoint_lacking_a_network_that_it_lists_is_refused(tiny_checkpoint_folder, tiny_checkpoint, tiny_cohort, tmp_path):
    folder = shutil.copytree(tiny_checkpoint_folder, tmp_path / "tiny")
    (folder / "segmenter.onnx").unlink()
    with pytest.raises(CheckpointError, match=r"lacks segmenter.onnx"):
        Checkpoint.load(folder)
    (folder / "segmenter.onnx").write_bytes(untrained("segmenter", tiny_checkpoint.model, tiny_cohort.train.slices)[0])
    with pytest.raises(CheckpointError, match=r"segmenter.onnx of tiny was altered"):
        Checkpoint.load(folder)
