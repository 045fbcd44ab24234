"""The state of an unfinished training, in safetensors: a killed run goes on at its last whole epoch.

In `<out>.unfinished`, each replaced at once: state.safetensors (weights, Adam's moments, best weights; epoch, history
and config in its metadata), and history.csv, a row for each epoch that is done, for whoever follows the training.
Nothing is pickled.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from safetensors import safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor, nn
from torch.optim import Optimizer

from vaead_core.computing.whole_file import write_whole
from vaead_core.errors import InputError

ADAM = ("step", "exp_avg", "exp_avg_sq")


class Resumable(Protocol):
    """Settings of a training. identity: what two runs must share for one to go on where the other stopped."""

    @property
    def out(self) -> Path: ...

    def identity(self) -> dict: ...


@dataclass(frozen=True)
class RunState:
    """epoch: how many are done. best: state dict of the lowest validation loss so far."""

    epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)

    def after(self, epoch: int, row: dict[str, float], network: nn.Module) -> RunState:
        """The state once an epoch ended with `row`."""
        lowest = min((past["validation_loss"] for past in self.history), default=float("inf"))
        best = self.best
        if row["validation_loss"] < lowest or not best:
            best = {name: value.detach().clone().contiguous() for name, value in network.state_dict().items()}
        return RunState(epoch, [*self.history, row], best)


def save(config: Resumable, state: RunState, network: nn.Module, optimizer: Optimizer) -> None:
    """Replaces the saved state at once: a kill leaves the old one or the new one, whole."""
    folder = _folder(config)
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"weights.{name}": value for name, value in network.state_dict().items()}
    tensors |= {f"best.{name}": value for name, value in state.best.items()}
    for index, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"adam.{index}.{name}": moments[name] for name in ADAM}
    metadata = {"epoch": str(state.epoch), "history": json.dumps(state.history), "config": json.dumps(config.identity())}
    stored = to_bytes({name: value.detach().cpu().contiguous() for name, value in tensors.items()}, metadata)
    write_whole(folder / "state.safetensors", stored)  # the package's own writing has no OSError for a full disk
    write_whole(folder / "history.csv", table(state.history))


def load(config: Resumable, network: nn.Module, optimizer: Optimizer) -> RunState:
    """The saved state, put into `network` and `optimizer`; a fresh one when there is none.

    Adam's moments come to the device of the weights, so those must be where they stay. Raises InputError when the folder holds
    an unfinished training with other settings.
    """
    path = _folder(config) / "state.safetensors"
    if not path.is_file():
        return RunState()
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    if json.loads(metadata["config"]) != config.identity():
        raise InputError(
            f"{config.out} holds an unfinished training with other settings; give another --out or delete its .unfinished folder."
        )
    network.load_state_dict(_below(tensors, "weights."))
    count = len(list(network.parameters()))
    moments = {i: {name: tensors[f"adam.{i}.{name}"] for name in ADAM} for i in range(count)}
    optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})
    return RunState(int(metadata["epoch"]), json.loads(metadata["history"]), _below(tensors, "best."))


def table(history: list[dict[str, float]]) -> str:
    """The rows as CSV, one for each epoch."""
    text = io.StringIO()
    writer = csv.DictWriter(text, history[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    return text.getvalue()


def clear(config: Resumable) -> None:
    """Removes the saved state once the checkpoint is written."""
    shutil.rmtree(_folder(config), ignore_errors=True)


def _folder(config: Resumable) -> Path:
    return config.out.with_name(f"{config.out.name}.unfinished")


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
