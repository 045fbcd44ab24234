"""The one loop of all trainings, of a VAE and of its companion networks: steps, epochs, rates, history, resuming."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Generic, Literal, Protocol, TypeVar

import numpy as np
import torch
from lightning.fabric import Fabric
from rich.progress import Progress
from torch import Generator, Tensor, nn

from training import processes, resume
from training.processes import Share
from training.randomness import Drawn, generator

VALIDATION_IMAGES = 512
VALIDATED_AT_ONCE = 128

Example = tuple[Tensor, ...]  # each (N, ...)
Network = TypeVar("Network", bound=nn.Module)
Row = dict[str, float]


class Course(resume.Resumable, Protocol):
    """The settings of a training that the loop reads, as TrainingConfig says them."""

    @property
    def epochs(self) -> int: ...
    @property
    def steps_per_epoch(self) -> int | None: ...
    @property
    def batch_size(self) -> int: ...
    @property
    def learning_rate(self) -> float: ...
    @property
    def schedule(self) -> Literal["constant", "cosine"]: ...
    @property
    def weight_decay(self) -> float: ...
    @property
    def seed(self) -> int: ...


class Task(Protocol):
    """What a network learns from a number of training images."""

    @property
    def images(self) -> int:
        """How many there are to train on."""

    def draw(self, count: int, rng: Generator) -> Drawn:
        """All that is random in a batch of `count` of them."""

    def seen(self, count: int) -> int:
        """How many the network sees of a batch of `count` of them."""

    def example(self, rows: Tensor, draws: Any, share: Share) -> Example:
        """A process's share of the batch of the training images `rows`, on the device; `draws` are of the whole batch."""

    def held_out(self) -> Example:
        """What each epoch is validated on, always the same, on the host."""

    def terms(self, network: nn.Module, *example: Tensor) -> dict[str, Tensor]:
        """Means over an example's images of the loss, which is called so, and of whatever else the history is to hold."""


class Training(Generic[Network]):
    """A network that is being trained, from where an unfinished training of the same settings stopped.

    Every random draw follows from (seed, epoch, step), however many processes there are.
    """

    def __init__(self, fabric: Fabric, course: Course, network: Network) -> None:
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        optimizer = torch.optim.Adam(network.parameters(), course.learning_rate, weight_decay=course.weight_decay)
        if fabric.world_size > 1:
            network = processes.with_shared_norms(network)
        self.fabric, self.course, self.network, self.own_optimizer = fabric, course, network, optimizer
        self.wrapped, self.optimizer = fabric.setup(network, optimizer)
        self.state = resume.load(course, network, optimizer)  # once the weights are where they are trained: the moments follow
        if fabric.world_size > 1:
            processes.check_together(fabric, course.out, self.state.epoch)

    def finish(self, task: Task, log: Callable[[Row], None] = lambda row: None) -> tuple[Network, str]:
        """The network with its best epoch's weights, and the history as CSV. log: what else is done with each of its rows."""
        fabric, course = self.fabric, self.course
        processes.check_shares(fabric, task.seen(min(course.batch_size, task.images)))
        held_out = task.held_out()
        with Progress(disable=not fabric.is_global_zero) as bar:
            shown = bar.add_task("Training", total=course.epochs, completed=self.state.epoch)
            for epoch in range(self.state.epoch, course.epochs):
                row = {"epoch": epoch + 1} | self.epoch(task, epoch) | self._validated(task, held_out)
                self.state = self.state.after(epoch + 1, row, self.network)
                if fabric.is_global_zero:
                    resume.save(course, self.state, self.network, self.own_optimizer)
                    log(row)
                    bar.console.print(" ".join(f"{name} {value:.4g}" for name, value in row.items()))
                bar.update(shown, advance=1)
        fabric.barrier()
        self.network.load_state_dict(self.state.best)
        return self.network, resume.table(self.state.history)

    def epoch(self, task: Task, epoch: int) -> Row:
        """One pass over the training images; the mean of each term over its steps."""
        self._set_rate(epoch)
        self.wrapped.train()
        share = Share(self.fabric.global_rank, self.fabric.world_size)
        steps: list[Row] = []
        for step, rows in enumerate(self._batches(task.images, epoch)):
            draws = task.draw(len(rows), generator(self.course.seed, epoch, step))
            terms = task.terms(self.wrapped, *map(self._placed, task.example(rows, draws, share)))
            self.fabric.backward(terms["loss"])
            self.optimizer.step()
            self.optimizer.zero_grad()
            steps.append({name: float(value.detach()) for name, value in terms.items()})
        return processes.means(self.fabric, {name: float(np.mean([one[name] for one in steps])) for name in steps[0]})

    def _batches(self, images: int, epoch: int) -> Tensor:
        """(steps, N) which images each step sees."""
        order = torch.randperm(images, generator=generator(self.course.seed, epoch))
        size = min(self.course.batch_size, images)
        return order[: images // size * size].view(-1, size)[: self.course.steps_per_epoch]

    @torch.no_grad()
    def _validated(self, task: Task, held_out: Example) -> Row:
        self.wrapped.eval()
        sums: Row = {}
        for piece in zip(*(part.split(VALIDATED_AT_ONCE) for part in held_out), strict=True):
            terms = task.terms(self.wrapped, *map(self._placed, piece))
            for name, value in terms.items():
                sums[name] = sums.get(name, 0.0) + float(value) * len(piece[0])
        return {f"validation_{name}": value / len(held_out[0]) for name, value in sums.items()}

    def _placed(self, part: Tensor) -> Tensor:
        part = part.to(self.fabric.device)
        return part.contiguous(memory_format=torch.channels_last) if part.ndim == 4 else part

    def _set_rate(self, epoch: int) -> None:
        if self.course.schedule == "cosine":
            for group in self.optimizer.param_groups:
                group["lr"] = self.course.learning_rate * 0.5 * (1 + math.cos(math.pi * epoch / self.course.epochs))
