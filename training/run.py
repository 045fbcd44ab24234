"""`python -m training.run [PRESET] [--FIELD VALUE ...]`: train a VAE on healthy brains, write a checkpoint folder."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
import tyro
from lightning.fabric import Fabric
from rich.progress import Progress
from torch import Generator, Tensor, nn
from torch.optim import Optimizer

import models
from models import losses
from models.export import load_from_onnx
from models.vae import VAE
from training import processes, resume
from training.augmentation import augment, coarse_noise, fill_noise, random_patches
from training.config import TrainingConfig
from training.data import TrainingData, load_data, to_tensors
from training.presets import DEFAULT, PRESETS
from training.publish import WHOLE, publish
from training.randomness import generator
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.errors import CheckpointError, InputError, exit_status

VALIDATION_IMAGES = 512


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
    device = "cuda" if torch.cuda.is_available() else "cpu"  # as `launch` chooses
    config = config.model_copy(update={"precision": native_precision(device) if config.precision == "auto" else config.precision})
    config, fabric = processes.launch(config)
    network, data, history = fit(fabric, config, data)
    if fabric.is_global_zero:
        publish(config, network, data, history)
        resume.clear(config)


def fit(fabric: Fabric, config: TrainingConfig, data: TrainingData | None = None) -> tuple[VAE, TrainingData, str]:
    """The network with its best epoch's weights, what it was trained on, and the history as CSV. See `train`."""
    torch.manual_seed(config.seed)
    network = _network(config).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.Adam(network.parameters(), config.learning_rate, weight_decay=config.weight_decay)
    if fabric.world_size > 1:
        network = processes.with_shared_norms(network)
    wrapped, placed = fabric.setup(network, optimizer)
    state = resume.load(config, network, optimizer)  # once the weights are where they are trained: Adam's moments follow them
    if fabric.world_size > 1:
        processes.check_together(fabric, config, state.epoch)
    data = data or load_data(config)
    trainer = _Trainer(fabric, config, data, wrapped, placed)
    log = _tensorboard(config) if config.tensorboard and fabric.is_global_zero else lambda row: None
    with Progress(disable=not fabric.is_global_zero) as bar:
        task = bar.add_task("Training", total=config.epochs, completed=state.epoch)
        for epoch in range(state.epoch, config.epochs):
            row = trainer.epoch(epoch)
            state = state.after(epoch + 1, row, network)
            if fabric.is_global_zero:
                resume.save(config, state, network, optimizer)
                log(row)
                bar.console.print(" ".join(f"{name} {value:.4g}" for name, value in row.items()))
            bar.update(task, advance=1)
    fabric.barrier()
    network.load_state_dict(state.best)
    return network, data, resume.table(state.history)


def _network(config: TrainingConfig) -> VAE:
    """A fresh network, or one with the weights of the checkpoint that the training starts from."""
    network = models.build(config.architecture.to_dict())
    if config.start_from is not None:
        first = Checkpoint.load(config.start_from)
        if first.provenance.architecture != config.architecture.to_dict():
            raise CheckpointError(f"{first.name} has another architecture than this training; give one with the same settings.")
        load_from_onnx(network, config.start_from)
    return network


def native_precision(device: str = "cpu") -> Literal["bf16-mixed", "32-true"]:
    """bf16-mixed where a `device` has bfloat16 arithmetic, `cuda` or `cpu`; emulated, it is slower than float32."""
    if device == "cuda":
        return "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "32-true"
    found = torch.cpu.get_capabilities()
    return "bf16-mixed" if any(found.get(name) for name in ("amx_bf16", "avx512_bf16", "bf16")) else "32-true"


class _Trainer:
    """One epoch at a time; every random draw follows from (seed, epoch, step), however many processes there are."""

    def __init__(
        self, fabric: Fabric, config: TrainingConfig, data: TrainingData, network: nn.Module, optimizer: Optimizer
    ) -> None:
        self.fabric, self.config, self.network, self.optimizer = fabric, config, network, optimizer
        self.pixels, self.mask = to_tensors(data.train.slices)
        self._check_shares()
        rows = np.linspace(0, len(data.validation.slices) - 1, min(VALIDATION_IMAGES, len(data.validation.slices)))
        self.held_out = to_tensors(data.validation.slices[rows.astype(int)])

    def _check_shares(self) -> None:
        images = min(self.config.batch_size, len(self.pixels))
        if self.config.images == "patches":
            images = max(1, images // self.config.patches_per_slice) * self.config.patches_per_slice
        if images % self.fabric.world_size:
            raise InputError(
                f"A batch of {images} images cannot be shared evenly among {self.fabric.world_size} processes; "
                "give a --batch-size that is a multiple of them."
            )

    def epoch(self, epoch: int) -> dict[str, float]:
        config, fabric = self.config, self.fabric
        order = torch.randperm(len(self.pixels), generator=generator(config.seed, epoch))
        size = min(config.batch_size, len(order))
        batches = order[: len(order) // size * size].view(-1, size)[: config.steps_per_epoch]
        self._set_rate(epoch)
        self.network.train()
        totals: list[dict[str, float]] = []
        for step, batch in enumerate(batches):
            rng = generator(config.seed, epoch, step, 0)
            images, mask = self._images(batch, rng)
            seen = coarse_noise(images, mask, config.augmentation.coarse_noise, rng)
            noise = torch.randn(len(images), config.architecture.latent_size, generator=rng)
            images, mask, noise, seen = (processes.own(fabric, part) for part in (images, mask, noise, seen))
            terms = loss_terms(self.network, images, mask, config, noise, seen)
            self.fabric.backward(terms["loss"])
            self.optimizer.step()
            self.optimizer.zero_grad()
            totals.append({name: float(value.detach()) for name, value in terms.items()})
        row = processes.means(fabric, {name: float(np.mean([t[name] for t in totals])) for name in totals[0]})
        return {"epoch": epoch + 1} | row | self._validate()

    def _images(self, rows: Tensor, rng: Generator) -> tuple[Tensor, Tensor]:
        config = self.config
        if config.images == "patches":
            share = max(1, len(rows) // config.patches_per_slice)
            rows = rows[:share]
        pixels, mask = self.pixels[rows], self.mask[rows]
        if config.images == "fashion":
            return self._placed(pixels, mask)
        pixels, mask = augment(pixels, mask, config.augmentation, rng)
        if config.images == "patches":
            size = config.architecture.image_size
            pixels, mask = random_patches(pixels, mask, size, config.patches_per_slice, rng)
        return self._placed(fill_noise(pixels, mask, config.background, rng), mask)

    def _placed(self, pixels: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        pixels = pixels.to(self.fabric.device).contiguous(memory_format=torch.channels_last)
        return pixels, mask.to(self.fabric.device)

    @torch.no_grad()
    def _validate(self) -> dict[str, float]:
        self.network.eval()
        pixels, mask = self.held_out
        if self.config.images == "patches":
            rng = generator(self.config.seed, 0)
            pixels, mask = random_patches(pixels, mask, self.config.architecture.image_size, 1, rng)
        sums: dict[str, float] = {}
        for start in range(0, len(pixels), 128):
            images, brain = self._placed(pixels[start : start + 128], mask[start : start + 128])
            terms = loss_terms(self.network, images, brain, self.config, None)
            for name, value in terms.items():
                sums[name] = sums.get(name, 0.0) + float(value) * len(images)
        return {f"validation_{name}": value / len(pixels) for name, value in sums.items()}

    def _set_rate(self, epoch: int) -> None:
        if self.config.schedule == "cosine":
            rate = self.config.learning_rate * 0.5 * (1 + np.cos(np.pi * epoch / self.config.epochs))
            for group in self.optimizer.param_groups:
                group["lr"] = float(rate)


def loss_terms(
    network: nn.Module,
    images: Tensor,
    mask: Tensor,
    config: TrainingConfig,
    noise: Tensor | None,
    seen: Tensor | None = None,
) -> dict[str, Tensor]:
    """Batch means of the loss and its terms.

    noise: (N, L) of N(0, 1), which draws the latents; None: the posterior's mean is decoded.
    seen: what the network is given in place of `images`, which it is to redraw.
    """
    weights = config.loss
    if noise is None:
        noise = torch.zeros(len(images), config.architecture.latent_size)
    raw, mean, log_variance, stages = network(images if seen is None else seen, noise.to(images.device))
    raw, mean, log_variance = raw.float(), mean.float(), log_variance.float()
    if config.images == "fashion":
        error = losses.bernoulli_error(raw, images)
    else:
        weight = torch.where(mask, 1.0, weights.background_weight)
        error = losses.squared_error(raw, images, weight)
    kl = losses.kl_to_standard_normal(mean, log_variance)
    loss = error + weights.beta * kl
    terms = {"error": error.mean(), "kl": kl.mean()}
    if weights.entropy_weight or weights.size_weight:
        attention = losses.activation_map(stages[0].float(), images.shape[-1])
        entropy = losses.attention_entropy(attention, mask[:, 0], weights.entropy_temperature)
        loss = loss - weights.entropy_weight * entropy
        most = mask.flatten(1).sum(1).clamp(min=1).log()
        terms["entropy_share"] = (entropy / most.clamp(min=1e-6)).mean()
        if weights.size_weight:
            size_term = losses.size_constraint(attention, mask[:, 0], weights.size_proportion, weights.size_sharpness)
            loss = loss + weights.size_weight * size_term
            terms["size"] = size_term.mean()
    if weights.svdd_weight:
        distance = losses.distance_from_centre(mean)
        loss = loss + weights.svdd_weight * distance
        terms["distance"] = distance.mean()
    return {"loss": loss.mean(), **terms}


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
