import shutil

import numpy as np
import pytest
import torch

from tests.support.trainings import untrained
from training.companion_tasks import TASKS, Denoiser
from training.randomness import generator
from training.synthetic_anomalies import with_anomalies
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


@pytest.mark.parametrize("name", COMPANIONS)
def test_a_further_network_is_of_operators_that_are_let_in(name, tiny_checkpoint_folder):
    check_graph((tiny_checkpoint_folder / f"{name}.onnx").read_bytes(), name)


def test_every_further_network_has_a_task_and_a_scorer():
    assert set(TASKS) == set(COMPANIONS) == {kind.needs.companion for kind in scorers.SCORERS.values()} - {None}


@pytest.mark.parametrize("seed", range(5))
def test_synthetic_anomalies_change_what_they_say_and_nothing_else(seed, brain):
    images, mask, _ = brain
    changed, truth = with_anomalies(images, mask, generator(seed))
    again, _ = with_anomalies(images, mask, generator(seed))
    assert torch.equal(changed, again)
    assert changed.abs().max() <= 1
    assert truth.dtype == torch.bool
    assert not truth[~mask].any()
    assert torch.equal(changed[~mask], images[~mask])
    assert ((changed - images).abs()[truth] > 0).all()
    assert (changed - images).abs()[truth].mean() > 10 * (changed - images).abs()[mask & ~truth].mean()


def test_some_images_stay_healthy_and_most_do_not(brain):
    images, mask, _ = (part[:1].repeat(100, *[1] * (part.ndim - 1)) for part in brain)
    _, truth = with_anomalies(images, mask, generator(0))
    assert 0.1 < float((truth.flatten(1).sum(1) == 0).float().mean()) < 0.5


def test_a_segmenter_sees_in_training_what_it_sees_in_a_scan(brain, tiny_cohort, tiny_checkpoint, monkeypatch):
    monkeypatch.setattr("training.companion_tasks.with_anomalies", lambda images, mask, rng: (images, mask & False))
    planes, _ = TASKS["segmenter"](tiny_checkpoint.model).example(*brain, generator(0))
    slices = tiny_cohort.train.slices[20:50:5]
    np.testing.assert_allclose(planes.numpy(), segmenter.planes(slices, tiny_checkpoint.model.reference["intensity"]), atol=1e-6)


def test_a_feature_autoencoder_sees_in_training_what_it_sees_in_a_scan(brain, tiny_cohort, tiny_checkpoint):
    slices = tiny_cohort.train.slices[20:50:5]
    assert slices.pixels[~slices.mask].std() > 0.1  # a scan's background is noise
    planes, _ = TASKS["feature_autoencoder"](tiny_checkpoint.model).example(*brain, generator(0))
    np.testing.assert_allclose(planes.numpy(), feature_reconstruction.planes(tiny_checkpoint.model, slices), atol=1e-5)


def test_a_denoiser_is_to_give_back_the_clean_slice(brain, tiny_checkpoint):
    images, mask, position = brain
    task = Denoiser(tiny_checkpoint.model)
    seen, target = task.example(images, mask, position, generator(0))
    assert torch.equal(target, images)
    assert 0.05 < float((seen - images)[mask].std()) < 0.3
    assert float(task.loss(target, target, mask.float())) == 0


def test_a_restorer_is_to_say_what_a_share_of_an_anomaly_changed(brain, tiny_checkpoint, monkeypatch):
    images, mask, position = brain
    monkeypatch.setattr("training.companion_tasks.with_anomalies", lambda images, mask, rng: (images - 0.4 * mask, mask))
    task = TASKS["restorer"](tiny_checkpoint.model)
    seen, target = task.example(images, mask, position, generator(0))
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
    images, mask, position = brain
    task = TASKS["feature_autoencoder"](tiny_checkpoint.model)
    features, _ = task.example(images, mask, position, generator(0))
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
