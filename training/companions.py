"""`python -m training.companions NAME... --checkpoint FOLDER`: companion networks for a checkpoint of slices that is there.

segmenter: finds synthetic anomalies. denoiser: takes coarse noise away. restorer: takes synthetic
anomalies of graded severity away. feature_autoencoder: redraws the encoder's features.
They are trained on the checkpoint's own training subjects, one after the other, and written into the checkpoint, whose
thresholds and healthy reference are then made again with their scorers.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import torch
import tyro
from pydantic import Field
from rich.progress import Progress
from torch import Tensor, nn

from models.export import export_graph
from training import resume
from training.augmentation import augment
from training.companion_tasks import TASKS, Task, held_out_example
from training.config import Augmentation, Settings
from training.data import Subset, TrainingData, load_data, to_tensors
from training.publish import WHOLE, Companions, republish, stored_config
from training.randomness import generator
from training.run import VALIDATION_IMAGES, native_precision
from vaead_core.checkpoints.checkpoint import COMPANION_FILES, Checkpoint
from vaead_core.checkpoints.provenance import Companion
from vaead_core.errors import CheckpointError, exit_status
from vaead_core.inference.model import Model

Name = Literal["segmenter", "denoiser", "restorer", "feature_autoencoder"]


class CompanionSettings(Settings):
    """What companion networks that are trained together share."""

    checkpoint: Path = Path("checkpoints/brain-slices-2mm")
    data: str | None = Field(None, description="the scans that it was trained on; default: found by the name it holds")
    width: int = Field(16, ge=1, description="channels at full resolution")
    levels: int = Field(4, ge=1, le=5)
    augmentation: Augmentation = Augmentation(rotation_degrees=2, scale=0.02)
    epochs: int = Field(60, ge=1)
    steps_per_epoch: int | None = Field(None, ge=1, description="stop an epoch early (tests, trials)")
    batch_size: int = Field(32, ge=2)
    learning_rate: float = Field(2e-3, gt=0, description="at the start; it falls to 0 along a cosine")
    seed: int = 0


class Order(CompanionSettings):
    """What the command line takes."""

    names: Annotated[tuple[Name, ...], tyro.conf.Positional] = Field(min_length=1)

    def configs(self) -> list[CompanionConfig]:
        """One a network."""
        shared = self.model_dump(exclude={"names"})
        return [CompanionConfig(name=name, **shared) for name in dict.fromkeys(self.names)]


class CompanionConfig(CompanionSettings):
    """One companion network."""

    name: Name

    @property
    def out(self) -> Path:
        """Beside the checkpoint; what is unfinished lies there."""
        return self.checkpoint.resolve().with_name(f"{self.checkpoint.resolve().name}.{self.name}")

    def identity(self) -> dict:
        """What two runs must share for one to go on where the other stopped."""
        return self.model_dump(mode="json", exclude={"checkpoint", "data"}) | {"checkpoint": self.checkpoint.resolve().name}


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0, or 2 with one sentence on stderr."""
    order = tyro.cli(Order, args=arguments, prog="python -m training.companions", description=__doc__)
    return exit_status(lambda: train(order.configs()), order.checkpoint, WHOLE)


def train(configs: Sequence[CompanionConfig], data: TrainingData | None = None) -> None:
    """Trains each, or goes on with an unfinished training, and publishes the checkpoint again with the best epochs' networks.

    configs: of one checkpoint. data: its cohort as `load_data` gives it, for whoever has it already.
    """
    folder = configs[0].checkpoint.resolve()
    checkpoint = Checkpoint.load(folder)
    if checkpoint.preprocessor is None or checkpoint.model.stride is not None:
        raise CheckpointError(f"{checkpoint.name} is no model of whole brain slices; a companion network needs one.")
    data = data or load_data(stored_config(checkpoint, folder, configs[0].data, None))
    trained: Companions = {config.name: fit(config, checkpoint.model, data) for config in configs}
    republish(folder, configs[0].data, companions=trained, cohort=data)
    for config in configs:
        resume.clear(config)


def fit(config: CompanionConfig, model: Model, data: TrainingData) -> tuple[bytes, Companion]:
    """The graph of the best epoch's network, and how it was trained."""
    task: Task = TASKS[config.name](model)
    torch.manual_seed(config.seed)
    network = task.network(config.width, config.levels)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.Adam(network.parameters(), config.learning_rate)
    state = resume.load(config, network, optimizer)
    held_out = held_out_example(task, data.validation.slices, VALIDATION_IMAGES)
    with Progress() as bar:
        for epoch in bar.track(range(state.epoch, config.epochs), total=config.epochs, completed=state.epoch):
            row = {"epoch": epoch + 1, "loss": one_epoch(config, task, network, optimizer, data.train, epoch)}
            row["validation_loss"] = _validated(task, network, *held_out)
            state = state.after(epoch + 1, row, network)
            resume.save(config, state, network, optimizer)
            bar.console.print(" ".join(f"{name} {value:.4g}" for name, value in row.items()))
    network.load_state_dict(state.best)
    planes = held_out[0].shape[1:]
    how = Companion(config.identity() | {"planes": planes[0]}, resume.table(state.history))
    with tempfile.TemporaryDirectory() as scratch:
        graph = Path(scratch) / COMPANION_FILES[config.name]
        export_graph(network, torch.zeros(2, *planes), "planes", "map", graph)
        return graph.read_bytes(), how


def one_epoch(
    config: CompanionConfig, task: Task, network: nn.Module, optimizer: torch.optim.Optimizer, subset: Subset, epoch: int
) -> float:
    """Mean loss of one pass over the training slices; every draw follows from (seed, epoch, step)."""
    pixels, mask = to_tensors(subset.slices)
    position = torch.from_numpy(subset.slices.position)
    order = torch.randperm(len(pixels), generator=generator(config.seed, epoch))
    size = min(config.batch_size, len(order))
    batches = order[: len(order) // size * size].view(-1, size)[: config.steps_per_epoch]
    for group in optimizer.param_groups:
        group["lr"] = config.learning_rate * 0.5 * (1 + float(torch.cos(torch.tensor(torch.pi * epoch / config.epochs))))
    network.train()
    total = 0.0
    for step, batch in enumerate(batches):
        rng = generator(config.seed, epoch, step)
        images, brain = augment(pixels[batch], mask[batch], config.augmentation, rng)
        planes, target = task.example(images * brain, brain, position[batch], rng)
        loss = task.loss(_output(network, planes), target, brain.float())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        total += float(loss.detach())
    return total / len(batches)


@torch.no_grad()
def _validated(task: Task, network: nn.Module, planes: Tensor, target: Tensor, mask: Tensor) -> float:
    network.eval()
    pieces = [_output(network, piece) for piece in planes.split(64)]
    return float(task.loss(torch.cat(pieces), target, mask))


def _output(network: nn.Module, planes: Tensor) -> Tensor:
    """float32; computed in bfloat16 where the processor has it."""
    with torch.autocast("cpu", torch.bfloat16, enabled=native_precision() == "bf16-mixed"):
        return network(planes.contiguous(memory_format=torch.channels_last)).float()


if __name__ == "__main__":
    sys.exit(main())
