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
from lightning_fabric import Fabric
from pydantic import Field

from models.export import export_graph
from training import resume
from training.companion_tasks import TASKS, OnSlices, held_out_example
from training.config import Augmentation, Device, Settings
from training.data import TrainingData, load_data
from training.devices import chosen, graphs_on, native_precision
from training.loop import Training
from training.publish import WHOLE, Companions, republish, stored_config
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
    device: Device = Field("auto", description="auto: an accelerator where there is one")
    compile: bool = Field(False, description="torch.compile makes the steps, which takes minutes and a C++ compiler first")


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
    def schedule(self) -> Literal["cosine"]:
        """As of a TrainingConfig."""
        return "cosine"

    @property
    def weight_decay(self) -> float:
        """As of a TrainingConfig."""
        return 0.0

    @property
    def out(self) -> Path:
        """Beside the checkpoint; what is unfinished lies there."""
        return self.checkpoint.resolve().with_name(f"{self.checkpoint.resolve().name}.{self.name}")

    def identity(self) -> dict:
        """What two runs must share for one to go on where the other stopped."""
        shared = self.model_dump(mode="json", exclude={"checkpoint", "data", "device", "compile"})
        return shared | {"checkpoint": self.checkpoint.resolve().name}


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0, or 2 with one sentence on stderr."""
    order = tyro.cli(Order, args=arguments, prog="python -m training.companions", description=__doc__)
    return exit_status(lambda: train(order.configs()), order.checkpoint, WHOLE)


def train(configs: Sequence[CompanionConfig], data: TrainingData | None = None) -> None:
    """Trains each, or goes on with an unfinished training, and publishes the checkpoint again with the best epochs' networks.

    configs: of one checkpoint. data: its cohort as `load_data` gives it, for whoever has it already.
    """
    folder, device = configs[0].checkpoint.resolve(), chosen(configs[0].device)
    publishing: Device = "cpu" if device == "cpu" else "auto"  # where ONNX Runtime has no CUDA, what was trained is not lost
    checkpoint = Checkpoint.load(folder, graphs_on(publishing))
    if checkpoint.preprocessor is None or checkpoint.model.stride is not None:
        raise CheckpointError(f"{checkpoint.name} is no model of whole brain slices; a companion network needs one.")
    data = data or load_data(stored_config(checkpoint, folder, configs[0].data, None))
    trained: Companions = {config.name: fit(config, checkpoint.model, data) for config in configs}
    republish(folder, configs[0].data, companions=trained, cohort=data, device=publishing)
    for config in configs:
        resume.clear(config)


def fit(config: CompanionConfig, model: Model, data: TrainingData) -> tuple[bytes, Companion]:
    """The graph of the best epoch's network, and how it was trained."""
    task = TASKS[config.name](model)
    device = chosen(config.device)
    fabric = Fabric(accelerator=device, devices=1, precision=native_precision(device))
    torch.manual_seed(config.seed)
    training = Training(fabric, config, task.network(config.width, config.levels))
    network, history = training.finish(OnSlices(task, config.augmentation, data, fabric.device))
    planes = held_out_example(task, data.validation.slices, 1)[0].shape[1:]
    how = Companion(config.identity() | {"planes": planes[0]}, history)
    with tempfile.TemporaryDirectory() as scratch:
        graph = Path(scratch) / COMPANION_FILES[config.name]
        export_graph(network, torch.zeros(2, *planes), "planes", "map", graph)
        return graph.read_bytes(), how


if __name__ == "__main__":
    sys.exit(main())
