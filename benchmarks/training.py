"""`python -m benchmarks.training`: our training step against plain float32 eager of the same network.

Ours is channels-last and in the precision that training takes on this machine.
"""

import time

import numpy as np
import torch

import models
from models.vae import VAE
from training.devices import native_precision
from training.presets import PRESETS
from training.vae_task import loss_terms

BATCH, STEPS = 64, 4


def matrix_rate(kind: torch.dtype, size: int = 2048) -> float:
    """Measured multiply-add rate of a square matrix product, in GFLOP/s."""
    a, b = torch.randn(size, size).to(kind), torch.randn(size, size).to(kind)
    a @ b
    start = time.perf_counter()
    for _ in range(4):
        a @ b
    return 4 * 2 * size**3 / (time.perf_counter() - start) / 1e9


def images_a_second(network: VAE, ours: bool) -> float:
    """Median over STEPS steps of forward, backward and update."""
    config = PRESETS["brain-slices-2mm"][1]
    half = ours and native_precision() == "bf16-mixed"
    layout = torch.channels_last if ours else torch.contiguous_format
    network = network.to(memory_format=layout).train()  # type: ignore[call-overload]
    optimizer = torch.optim.Adam(network.parameters(), 1e-4)
    size = network.image_size
    images = torch.rand(BATCH, 1, size, size).contiguous(memory_format=layout)
    mask = torch.ones(BATCH, 1, size, size, dtype=torch.bool)
    noise = torch.randn(BATCH, network.latent_size)
    seconds = []
    for _ in range(STEPS + 1):
        start = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            loss = loss_terms(network, config, images, mask, noise, images)["loss"]
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        seconds.append(time.perf_counter() - start)
    return BATCH / float(np.median(seconds[1:]))


def main() -> None:
    """Prints images a second of both, the ratio, and the share of the machine's measured matrix rates."""
    from torch.utils.flop_counter import FlopCounterMode

    architecture = PRESETS["brain-slices-2mm"][1].architecture.to_dict()
    network = models.build(architecture)
    size, latent = network.image_size, network.latent_size
    with FlopCounterMode(display=False) as counter:
        network(torch.rand(1, 1, size, size).expand(2, 1, size, size), torch.zeros(2, latent))[0].sum().backward()
    gflop = counter.get_total_flops() / 2 / 1e9
    emulated = native_precision() != "bf16-mixed"
    rates = {"bfloat16": matrix_rate(torch.bfloat16, 256 if emulated else 2048), "float32": matrix_rate(torch.float32)}
    plain = images_a_second(models.build(architecture), ours=False)
    ours = images_a_second(models.build(architecture), ours=True)
    print(f"plain float32 eager {plain:.0f} images/s")
    print(f"ours ({native_precision()}, channels last) {ours:.0f} images/s; ratio {ours / plain:.2f}")
    print(f"{gflop:.2f} GFLOP an image, forward and backward; {torch.get_num_threads()} threads")
    for name, rate in rates.items():
        print(f"measured {name} matrix rate {rate:.0f} GFLOP/s; our step reaches {100 * gflop * ours / rate:.0f} % of it")


if __name__ == "__main__":
    main()
