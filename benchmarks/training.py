"""`python -m benchmarks.training`: the training loop itself, draws and augmentation included, beside plain float32 eager.

Rounds of both alternate; medians are printed. On a processor its own time counts, shared by its threads: OMP_NUM_THREADS=1 where
other jobs run, as threads that wait for each other count too. The images are noise in an ellipse: others take the same time.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
import torch
from lightning_fabric import Fabric

import models
from benchmarks.seconds import processor
from models.vae import VAE
from training import processes
from training.config import Device, TrainingConfig
from training.data import Subset, TrainingData
from training.devices import chosen, native_precision
from training.loop import Task, Training
from training.presets import PRESETS
from training.vae_task import VAETask
from vaead_core.scans.volume import Slices

ROUNDS, STEPS = 3, 2  # on a processor; an accelerator takes TIMES as many steps a round
TIMES = 20


class Timed:
    """A training whose rounds of steps are timed."""

    def __init__(
        self, config: TrainingConfig, fabric: Fabric, data: TrainingData, layout: torch.memory_format, plain: bool
    ) -> None:
        torch.manual_seed(0)
        self.training = Training(fabric, config, models.build(config.architecture.to_dict()), graphed=not plain)
        self.training.network.to(memory_format=layout)  # type: ignore[call-overload]
        self.training.wrapped.train()
        self.task: Task = VAETask(config, data, fabric.device)
        self.steps = STEPS * (TIMES if fabric.device.type == "cuda" else 1)
        self.batches = self.training.batches(self.task.images, 0).repeat(self.steps, 1)[: self.steps]
        self.seen = self.steps * self.task.seen(self.batches.shape[1])

    def round(self) -> float:
        """Seconds of some steps of the loop."""

        def steps() -> None:
            for fetched, draws in self.training.prepared(self.task, self.batches, 0):
                self.training.step(self.task, self.task.example(fetched, draws, self.training.share))

        return seconds(steps, self.training.fabric.device.type)

    def making(self) -> float:
        """Seconds of the same, which end when the examples are made."""

        def steps() -> None:
            for fetched, draws in self.training.prepared(self.task, self.batches, 0):
                self.task.example(fetched, draws, self.training.share)

        return seconds(steps, self.training.fabric.device.type)

    def busy(self) -> float:
        """Seconds that an accelerator computes in a round."""
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
            self.round()
        return sum(event.self_device_time_total for event in profile.key_averages()) / 1e6


def seconds(work: Callable[[], object], device: str) -> float:
    """Of an accelerator as the clock tells; of a processor its own time, shared by its threads: other jobs count little."""
    if device == "cuda":
        start = time.perf_counter()
        work()
        torch.cuda.synchronize()
        return time.perf_counter() - start
    start = time.process_time()
    work()
    return (time.process_time() - start) / torch.get_num_threads()


def matrix_rate(kind: torch.dtype, device: str) -> float:
    """Measured rate of a square matrix product, in GFLOP/s."""
    size = 8192 if device == "cuda" else 256 if kind == torch.bfloat16 and native_precision() == "32-true" else 2048
    a, b = (torch.randn(size, size, device=device).to(kind) for _ in range(2))
    return 2 * size**3 / min([seconds(lambda: a @ b, device) for _ in range(6)][1:]) / 1e9


def gflop(network: VAE) -> float:
    """Of an image, forward and backward."""
    from torch.utils.flop_counter import FlopCounterMode

    size = network.image_size
    with FlopCounterMode(display=False) as counter:
        network(torch.rand(1, 1, size, size).expand(2, 1, size, size), torch.zeros(2, network.latent_size))[0].sum().backward()
    return counter.get_total_flops() / 2 / 1e9


def noise(config: TrainingConfig, count: int) -> TrainingData:
    """As many slices as a cohort's, of no anatomy."""
    size = 96 * 2 // config.spacing_mm + (32 if config.spacing_mm == 1 else 0)
    rows, columns = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    mask = np.broadcast_to((rows / 0.85) ** 2 + (columns / 0.7) ** 2 < 1, (count, size, size)).copy()
    pixels = np.random.default_rng(0).normal(0, 1 / 3, mask.shape).clip(-1, 1).astype(np.float32)
    part = Subset(Slices(pixels, mask, np.zeros(count, np.int64)), np.zeros(count, int), ("noise",), (None,))
    return TrainingData(part, part, part, "noise")


def main(preset: str, device: Device, compiled: bool, batch: int | None) -> None:
    """Prints images a second, the augmentation's share, idle time, share of the matrix rate, and the ratio to plain eager."""
    where = chosen(device)
    config = PRESETS[preset][1]
    changes = {"device": device, "batch_size": batch or config.batch_size}
    with tempfile.TemporaryDirectory() as folder:
        config = config.model_copy(update=changes | {"out": Path(folder) / "model"})
        data = noise(config, 2 * config.batch_size)
        trained = []
        for precision, layout, compile_, plain in (
            (native_precision(where), torch.channels_last, compiled, False),
            ("32-true", torch.contiguous_format, False, True),
        ):
            settings, fabric = processes.launch(config.model_copy(update={"precision": precision, "compile": compile_}))
            trained.append(Timed(settings, fabric, data, layout, plain))
    ours, others = trained
    for one in trained:  # kernels are chosen and compiled, graphs captured
        one.round()
    rounds = [(ours.round(), others.round(), ours.making()) for _ in range(ROUNDS)]
    own, other, making = np.median(rounds, 0).tolist()
    each = gflop(models.build(config.architecture.to_dict()))
    name = torch.cuda.get_device_name() if where == "cuda" else f"{processor()}, {torch.get_num_threads()} thread(s)"
    print(f"{preset} on {name}, batch {config.batch_size}, {each:.2f} GFLOP an image, the loop with augmentation")
    print(f"plain float32 eager {ours.seen / other:.1f} images/s")
    more = [", compiled"] * compiled + [", one graph a step"] * (where == "cuda")
    how = f"{native_precision(where)}, channels last{''.join(more)}"
    print(f"ours ({how}) {ours.seen / own:.1f} images/s; ratio {other / own:.2f}")
    print(f"making a batch alone takes {100 * making / own:.0f} % of a step's time")
    if where == "cuda":
        print(f"idle {100 * (1 - ours.busy() / own):.0f} %")
    for kind in (torch.bfloat16, torch.float32):
        rate = matrix_rate(kind, where)
        share = each * ours.seen / own / rate
        print(f"measured {kind} matrix rate {rate:.0f} GFLOP/s; the loop reaches {100 * share:.0f} % of it")


if __name__ == "__main__":
    parser = argparse.ArgumentParser("python -m benchmarks.training", description=__doc__)
    parser.add_argument("--preset", choices=PRESETS, default="brain-slices-2mm")
    parser.add_argument("--device", choices=get_args(Device), default="auto")
    parser.add_argument("--compile", action="store_true", help="ours is compiled, plain eager never")
    parser.add_argument("--batch-size", type=int, help="default: the preset's")
    options = parser.parse_args()
    main(options.preset, options.device, options.compile, options.batch_size)
