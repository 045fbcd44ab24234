"""Training on several processes, of one machine or many: who they are, and what they share.

P processes take the steps that one would take: each draws what is random of the whole batch, and makes and trains on its own
P-th of the images; batch norm has its statistics, the update its gradient, the history its means over all of them. What is left
is rounding: sums in another order.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from lightning_fabric import Fabric
from torch import Tensor, distributed, nn
from torch.autograd import Function

from training.config import TrainingConfig
from training.devices import chosen
from vaead_core.errors import InputError

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Share:
    """Which images of a whole batch a process trains on: the `rank`-th of `count` parts."""

    rank: int = 0
    count: int = 1

    def of(self, images: int) -> slice:
        """Their rows; `images` must be a multiple of the processes."""
        return slice(self.rank * images // self.count, (self.rank + 1) * images // self.count)


def launch(config: TrainingConfig) -> tuple[TrainingConfig, Fabric]:
    """Starts `config.devices` processes here, or joins those that torchrun started, here and on other machines.

    The config that comes back counts them all in `devices`. Raises InputError where it asked for another number than torchrun.
    """
    here, machines = config.devices, 1
    if distributed.is_torchelastic_launched():
        total, here = int(os.environ["WORLD_SIZE"]), int(os.environ["LOCAL_WORLD_SIZE"])
        if config.devices not in (1, total):
            raise InputError(f"torchrun started {total} processes and --devices asks for {config.devices}; leave --devices out.")
        config, machines = config.model_copy(update={"devices": total}), total // here
    if config.precision == "auto":
        raise ValueError("precision must be chosen before processes start, got auto")
    fabric = Fabric(
        accelerator=chosen(config.device), devices=here, num_nodes=machines,
        precision=config.precision, strategy="ddp" if config.devices > 1 else "auto",
    )  # fmt: skip
    fabric.launch()
    return config, fabric


def check_shares(fabric: Fabric, images: int) -> None:
    """Raises InputError where a batch of `images` is not shared evenly."""
    if images % fabric.world_size:
        raise InputError(
            f"A batch of {images} images cannot be shared evenly among {fabric.world_size} processes; "
            "give a --batch-size that is a multiple of them."
        )


def check_together(fabric: Fabric, out: Path, epoch: int) -> None:
    """Raises InputError where the processes found unfinished trainings at different epochs: they would wait for each other."""
    found = torch.as_tensor(fabric.all_gather(torch.tensor(epoch))).flatten()
    if (found != epoch).any():
        epochs = ", ".join(map(str, found.tolist()))
        raise InputError(
            f"The processes find unfinished trainings of {out.name} at different epochs ({epochs}); "
            "give an --out that all machines share."
        )


def with_shared_norms(network: Network) -> Network:
    """The network, its batch norms taking their statistics over all processes; weights and their names stay."""
    for module in network.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = _SharedBatchNorm
    return network


def means(fabric: Fabric, row: dict[str, float]) -> dict[str, float]:
    """Each value's mean over all processes."""
    if fabric.world_size == 1:
        return row
    values = torch.as_tensor(fabric.all_reduce(torch.tensor(list(row.values()), dtype=torch.float64), reduce_op="mean"))
    return dict(zip(row, values.tolist(), strict=True))


class _SharedBatchNorm(nn.BatchNorm2d):
    """Batch norm over the images of all processes, each of which has equally many. PyTorch's own takes no processor.

    Ioffe & Szegedy 2015, algorithm 1; means first, then the variance about them, so that nothing cancels.
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor
    momentum: float

    def forward(self, features: Tensor) -> Tensor:
        if not self.training:
            return super().forward(features)
        values = features.to(self.weight.dtype)
        mean = _mean_over_processes(values.mean((0, 2, 3)))
        centred = values - mean[:, None, None]
        variance = _mean_over_processes(centred.square().mean((0, 2, 3)))
        with torch.no_grad():
            count = distributed.get_world_size() * values.numel() / len(mean)
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * (count / (count - 1)), self.momentum)
        scale = self.weight * (variance + self.eps).rsqrt()
        return (centred * scale[:, None, None] + self.bias[:, None, None]).to(features.dtype)


class _MeanOverProcesses(Function):
    """Of each value. A value counts 1/P in every process's mean, so its gradient is the mean of theirs: the same function."""

    @staticmethod
    def forward(ctx, values: Tensor) -> Tensor:
        total = values.contiguous().clone()
        distributed.all_reduce(total)
        return total / distributed.get_world_size()

    @staticmethod
    def backward(ctx, *gradients: Tensor) -> Tensor:
        return _MeanOverProcesses.forward(ctx, gradients[0])


def _mean_over_processes(values: Tensor) -> Tensor:
    return _MeanOverProcesses.apply(values)
