"""`python -m training.run [PRESET] [--FIELD VALUE ...]`: train a VAE on healthy brains, write a checkpoint folder."""

from __future__ import annotations

import sys
from collections.abc import Callable

import torch
import tyro
from lightning_fabric import Fabric

import models
from models.export import load_from_onnx
from models.vae import VAE
from training import processes, resume, stages
from training.config import TrainingConfig
from training.data import TrainingData, load_data
from training.devices import chosen, graphs_on, native_precision
from training.loop import Training
from training.presets import DEFAULT, PRESETS
from training.publish import WHOLE, publish
from training.vae_task import VAETask
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.errors import CheckpointError, exit_status


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0, or 2 with one sentence on stderr."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in ("-h", "--help")):
        arguments = [DEFAULT, *arguments]
    config = tyro.extras.overridable_config_cli(PRESETS, args=arguments, prog="python -m training.run")
    return exit_status(lambda: train(config), config.out, WHOLE)


def train(config: TrainingConfig, data: TrainingData | None = None) -> None:
    """Trains, or goes on with an unfinished training in `config.out`, and publishes the best epoch's weights.

    data: what `load_data(config)` gives, for whoever has it already.
    """
    if config.precision == "auto":
        config = config.model_copy(update={"precision": native_precision(chosen(config.device))})
    config, fabric = processes.launch(config)
    network, data, history = fit(fabric, config, data)
    if fabric.is_global_zero:
        stages.begin("calibrating and writing the checkpoint")
        publish(config, network, data, history, open_graph=graphs_on("cpu" if config.device == "cpu" else "auto"))
        resume.clear(config)


def fit(fabric: Fabric, config: TrainingConfig, data: TrainingData | None = None) -> tuple[VAE, TrainingData, str]:
    """The network with its best epoch's weights, what it was trained on, and the history as CSV. See `train`."""
    torch.manual_seed(config.seed)
    training = Training(fabric, config, _network(config))
    stages.begin("reading the scans")
    data = data or load_data(config)
    log = _tensorboard(config) if config.tensorboard and fabric.is_global_zero else lambda row: None
    network, history = training.finish(VAETask(config, data, fabric.device), log)
    return network, data, history


def _network(config: TrainingConfig) -> VAE:
    """A fresh network, or one with the weights of the checkpoint that the training starts from."""
    network = models.build(config.architecture.to_dict())
    if config.start_from is not None:
        first = Checkpoint.load(config.start_from)
        if first.provenance.architecture != config.architecture.to_dict():
            raise CheckpointError(f"{first.name} has another architecture than this training; give one with the same settings.")
        load_from_onnx(network, config.start_from)
    return network


def _tensorboard(config: TrainingConfig) -> Callable[[dict[str, float]], None]:
    """Writes each history row below `<out>.tensorboard`."""
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(config.out.with_name(f"{config.out.name}.tensorboard"))

    def write(row: dict[str, float]) -> None:
        for name, value in row.items():
            if name != "epoch":
                writer.add_scalar(name, value, int(row["epoch"]))

    return write


if __name__ == "__main__":
    sys.exit(main())
