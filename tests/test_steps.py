import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode

from models import build
from tests.support.trainings import tiny
from training import processes
from training.companion_tasks import TASKS, OnSlices
from training.config import Architecture, Augmentation
from training.loop import Training
from training.presets import PRESETS
from training.processes import Share
from training.randomness import generator
from training.steps import WARM_UP
from training.vae_task import VAETask, loss_terms

FEW = 6  # images a step, so that an epoch has more steps than are taken before a graph is captured
needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device is at hand")


def training_of(config, **how):
    torch.manual_seed(0)
    config, fabric = processes.launch(config)
    training = Training(fabric, config, build(config.architecture.to_dict()), **how)
    training.wrapped.train()
    return training


def examples(config, cohort, device):
    """The task, and some examples of it, always the same."""
    task = VAETask(config, cohort, device)
    batches = torch.arange(4 * FEW).view(4, FEW)
    return task, [task.example(task.fetch(rows, Share()), task.draw(FEW, generator(int(rows[0]))), Share()) for rows in batches]


def without_values(example):
    """A mode, and tensors in it that are shaped as those of the example: reading a value of one is an error."""
    mode = FakeTensorMode(allow_non_fake_inputs=True)
    return mode, [mode.from_tensor(part) for part in example]


def test_a_value_that_is_not_there_cannot_be_read():
    mode, (number,) = without_values([torch.ones(1)])
    with mode, pytest.raises(DataDependentOutputException):
        number.item()


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_a_step_reads_no_value_of_its_example(preset):
    """So that a graph of one holds for every other."""
    config = PRESETS[preset][1]
    size, latents = config.architecture.image_size, config.architecture.latent_size
    loss = config.loss.model_copy(update={"size_weight": 1.0, "svdd_weight": 1.0})
    config = config.model_copy(update={"loss": loss})
    network = build(config.architecture.model_copy(update={"width": 8}).to_dict())
    images, mask = torch.zeros(2, 1, size, size), torch.ones(2, 1, size, size, dtype=torch.bool)
    mode, example = without_values([images, mask, torch.zeros(2, latents), images])
    with mode:
        loss_terms(network, config, *example)["loss"].backward()


@pytest.mark.parametrize("name", sorted(TASKS))
def test_a_companions_step_reads_no_value_of_its_example(name, thin_cohort, tiny_checkpoint):
    task = OnSlices(TASKS[name](tiny_checkpoint.model), Augmentation(), thin_cohort, torch.device("cpu"))
    mode, example = without_values(task.example(task.fetch(torch.arange(2), Share()), task.draw(2, generator(0)), Share()))
    network = task.task.network(4, 2)
    with mode:
        task.terms(network, *example)["loss"].backward()


def test_a_step_draws_nothing_and_depends_on_what_its_example_holds_alone(thin_cohort, tmp_path):
    """As a graph that is replayed, whose examples come one after the other to the same place."""
    config = tiny(tmp_path, augmentation=Augmentation(coarse_noise=0.5))
    fresh, placed = training_of(config), training_of(config)
    task, made = examples(config, thin_cohort, torch.device("cpu"))
    here = tuple(part.clone() for part in made[0])
    before = torch.get_rng_state()
    for example in made:
        ours = fresh.step(task, example)
        for own, part in zip(here, example, strict=True):
            own.copy_(part)
        theirs = placed.update(task, here)
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)
        assert not any(value.requires_grad for value in ours.values())
    assert torch.equal(torch.get_rng_state(), before)
    for ours, theirs in zip(fresh.network.parameters(), placed.network.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_a_rate_that_is_a_tensor_stays_where_it_is_and_falls_as_a_number_does(thin_cohort, tmp_path):
    config = tiny(tmp_path, schedule="cosine", epochs=4)
    numbers, tensors = training_of(config), training_of(config)
    rate = torch.tensor(config.learning_rate, dtype=torch.float64)  # in half its digits it would be another rate, and Adam tells
    tensors.own_optimizer.param_groups[0]["lr"] = rate
    task = VAETask(config, thin_cohort, torch.device("cpu"))
    for epoch in (0, 3):
        rows = [training.epoch(task, epoch) for training in (numbers, tensors)]
        assert rows[0]["loss"] == rows[1]["loss"]
    assert tensors.own_optimizer.param_groups[0]["lr"] is rate
    assert rate.item() == pytest.approx(numbers.own_optimizer.param_groups[0]["lr"]) == pytest.approx(0.1464 * 5e-4, rel=1e-3)


@needs_cuda
@pytest.mark.parametrize("compiled", [False, True])
def test_steps_replayed_as_a_graph_come_to_what_they_come_to_one_by_one(compiled, thin_cohort, tmp_path):
    config = tiny(tmp_path, device="cuda", compile=compiled, architecture=Architecture(name="simple_vae", latent_size=16))
    found = []
    for graphed in (True, False):
        training = training_of(config, graphed=graphed)
        task, made = examples(config, thin_cohort, training.fabric.device)
        rows = [training.step(task, example)["loss"].clone() for example in made * 3]
        assert len(rows) > WARM_UP + 1
        found.append([row.item() for row in rows])
    np.testing.assert_allclose(*found, rtol=1e-3)


@needs_cuda
def test_a_graphed_training_goes_on_where_it_stopped_at_the_rate_of_its_epoch(thin_cohort, tmp_path):
    class StopError(Exception):
        pass

    def stop(row):
        raise StopError

    config = tiny(tmp_path / "broken", device="cuda", schedule="cosine", steps_per_epoch=WARM_UP + 2, batch_size=FEW)
    broken = training_of(config)
    with pytest.raises(StopError):
        broken.finish(VAETask(config, thin_cohort, broken.fabric.device), stop)
    resumed, whole = training_of(config), training_of(config.model_copy(update={"out": tmp_path / "whole"}))
    ends = [one.finish(VAETask(config, thin_cohort, one.fabric.device))[1] for one in (resumed, whole)]
    rows = [[float(value) for value in end.splitlines()[-1].split(",")] for end in ends]
    np.testing.assert_allclose(*rows, rtol=1e-2)
    rates = [one.own_optimizer.param_groups[0]["lr"].item() for one in (resumed, whole)]
    assert rates == pytest.approx([config.learning_rate / 2] * 2)


@needs_cuda
def test_no_step_waits_for_the_card(thin_cohort, tmp_path):
    config = tiny(tmp_path / "out", device="cuda")
    training = training_of(config)
    task = VAETask(config, thin_cohort, training.fabric.device)
    batches = training.batches(task.images, 0).repeat(WARM_UP, 1)
    for waited in ("default", "error"):  # the first ones choose kernels and are captured
        torch.cuda.set_sync_debug_mode(waited)
        try:
            for fetched, draws in training.prepared(task, batches, 0):
                training.step(task, task.example(fetched, draws, Share()))
        finally:
            torch.cuda.set_sync_debug_mode("default")
