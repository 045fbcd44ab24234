"""The one loop of all trainings, of a VAE and of its companion networks: steps, epochs, rates, history, resuming."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Generic, Literal, Protocol, TypeVar, cast

import torch
from lightning_fabric import Fabric
from rich.progress import Progress
from torch import Generator, Tensor, nn

from training import processes, resume, stages
from training.processes import Share
from training.randomness import Drawn, generator
from training.resident import AHEAD, ahead
from training.steps import Example, Graphed

VALIDATION_IMAGES = 512
VALIDATED_AT_ONCE = 128

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
    @property
    def compile(self) -> bool: ...


class Task(Protocol):
    """What a network learns from a number of training images."""

    @property
    def images(self) -> int:
        """How many there are to train on."""

    def draw(self, count: int, rng: Generator) -> Drawn:
        """All that is random in a batch of `count` of them."""

    def seen(self, count: int) -> int:
        """How many the network sees of a batch of `count` of them."""

    def fetch(self, rows: Tensor, share: Share) -> Drawn:
        """Of the training images `rows`, those that a process needs for its share of the batch."""

    def example(self, fetched: Any, draws: Any, share: Share) -> Example:
        """A process's share of a batch, on the device, from what was fetched for it; `draws` are of the whole batch."""

    def held_out(self) -> Example:
        """What each epoch is validated on, always the same, on the host."""

    def terms(self, network: nn.Module, *example: Tensor) -> dict[str, Tensor]:
        """Means over an example's images of the loss, which is called so, and of whatever else the history is to hold."""


class Training(Generic[Network]):
    """A network that is being trained, from where an unfinished training of the same settings stopped.

    Every random draw follows from (seed, epoch, step), however many processes there are.
    """

    def __init__(self, fabric: Fabric, course: Course, network: Network, graphed: bool = True) -> None:
        """graphed: a step is one CUDA graph, where one process trains on an accelerator."""
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        accelerated = fabric.device.type == "cuda"
        torch.backends.cudnn.benchmark = accelerated  # all batches of a training are of one size
        rate = torch.tensor(course.learning_rate, device=fabric.device) if accelerated else course.learning_rate
        optimizer = torch.optim.Adam(
            network.parameters(), rate, weight_decay=course.weight_decay, fused=accelerated or None, capturable=accelerated
        )
        if fabric.world_size > 1:
            network = processes.with_shared_norms(network)
        self.fabric, self.course, self.network, self.own_optimizer = fabric, course, network, optimizer
        self.share = Share(fabric.global_rank, fabric.world_size)
        run = cast(nn.Module, torch.compile(network)) if course.compile else network
        self.wrapped, self.optimizer = fabric.setup(run, optimizer)
        self._graphed = Graphed() if graphed and accelerated and fabric.world_size == 1 else None
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
                if fabric.is_global_zero:
                    stages.begin(f"epoch {epoch + 1} of {course.epochs}")
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
        sums = _Sums()
        for fetched, draws in self.prepared(task, self.batches(task.images, epoch), epoch):
            example = task.example(fetched, draws, self.share)
            sums.add(self.step(task, example), 1)
        return processes.means(self.fabric, sums.means())

    def prepared(self, task: Task, batches: Tensor, epoch: int) -> Iterator[tuple[Drawn, Drawn]]:
        """What each step needs from the host; on an accelerator made while the steps before it are computed."""
        accelerated = self.fabric.device.type == "cuda"

        def prepare(step: int) -> tuple[Drawn, Drawn]:
            made = task.fetch(batches[step], self.share), task.draw(len(batches[step]), generator(self.course.seed, epoch, step))
            return (made[0].pinned(), made[1].pinned()) if accelerated else made

        return ahead(prepare, range(len(batches)), AHEAD if accelerated else 0)

    def step(self, task: Task, example: Example) -> dict[str, Tensor]:
        """One update; the terms stay on the device until the next step, and nobody waits for them."""
        here = tuple(map(self._placed, example))
        return self.update(task, here) if self._graphed is None else self._graphed.take(partial(self.update, task), here)

    def update(self, task: Task, example: Example) -> dict[str, Tensor]:
        """All that is computed in a step, of an example that is where it is trained on; nothing of it is read on the host."""
        terms = task.terms(self.wrapped, *example)
        self.fabric.backward(terms["loss"])
        self.optimizer.step()
        self.optimizer.zero_grad()
        return {name: term.detach() for name, term in terms.items()}

    def batches(self, images: int, epoch: int) -> Tensor:
        """(steps, N) which images each step sees."""
        order = torch.randperm(images, generator=generator(self.course.seed, epoch))
        size = min(self.course.batch_size, images)
        return order[: images // size * size].view(-1, size)[: self.course.steps_per_epoch]

    @torch.no_grad()
    def _validated(self, task: Task, held_out: Example) -> Row:
        self.wrapped.eval()
        sums = _Sums()
        for piece in zip(*(part.split(VALIDATED_AT_ONCE) for part in held_out), strict=True):
            sums.add(task.terms(self.wrapped, *map(self._placed, piece)), len(piece[0]))
        return {f"validation_{name}": mean for name, mean in sums.means().items()}

    def _placed(self, part: Tensor) -> Tensor:
        part = part.to(self.fabric.device)
        return part.contiguous(memory_format=torch.channels_last) if part.ndim == 4 else part

    def _set_rate(self, epoch: int) -> None:
        if self.course.schedule == "cosine":
            rate = self.course.learning_rate * 0.5 * (1 + math.cos(math.pi * epoch / self.course.epochs))
            for group in self.optimizer.param_groups:
                if isinstance(group["lr"], Tensor):
                    group["lr"].fill_(rate)  # where a graph reads it
                else:
                    group["lr"] = rate


class _Sums:
    """Of the terms of some batches, where they were computed: nothing is read before all are there."""

    def __init__(self) -> None:
        self.weight, self.totals = 0, dict[str, Tensor]()

    def add(self, terms: dict[str, Tensor], weight: int) -> None:
        self.weight += weight
        for name, value in terms.items():
            self.totals[name] = self.totals.get(name, 0.0) + weight * value.detach().double()

    def means(self) -> Row:
        values = (torch.stack(list(self.totals.values())) / self.weight).tolist()
        return dict(zip(self.totals, values, strict=True))
