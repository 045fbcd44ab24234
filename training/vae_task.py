"""What a VAE learns: images are redrawn by way of latents that are like the prior."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor, nn

from models import losses
from training import augmentation
from training.augmentation import Changes, CoarseNoise
from training.config import TrainingConfig
from training.data import TrainingData, to_tensors
from training.loop import VALIDATION_IMAGES
from training.processes import Share
from training.randomness import Drawn, generator
from training.resident import Fetched, Resident
from training.steps import Example


@dataclass(frozen=True)
class Draws(Drawn):
    """changes: of the training images. centres: of their patches. background, coarse, latent: of what the network sees."""

    changes: Changes | None
    centres: Tensor | None
    background: Tensor | None
    coarse: CoarseNoise | None
    latent: Tensor


class VAETask:
    """A Task of images, masks, latent noise and what the network is given in place of the images, which it is to redraw."""

    def __init__(self, config: TrainingConfig, data: TrainingData, device: torch.device) -> None:
        self.config, self.device = config, device
        self._patches = config.patches_per_slice if config.images == "patches" else 1
        self._resident = Resident(data.train.slices, device)
        self._validation = data.validation.slices

    @property
    def images(self) -> int:
        return len(self._resident)

    def seen(self, count: int) -> int:
        return max(1, count // self._patches) * self._patches

    def draw(self, count: int, rng: Generator) -> Draws:
        config, kind = self.config, self.config.images
        seen, size = self.seen(count), config.architecture.image_size
        slices, shape = seen // self._patches, (seen, 1, size, size)
        changes = centres = background = None
        if kind != "fashion":
            changes = Changes.draw(config.augmentation, (slices, *self._resident.shape), rng)
        if kind == "patches":
            centres = torch.rand(slices, self._patches, dtype=torch.float64, generator=rng)
        if kind != "fashion":
            background = augmentation.background_noise(config.background, shape, rng)
        coarse = CoarseNoise.draw(config.augmentation.coarse_noise, shape, rng)
        return Draws(changes, centres, background, coarse, torch.randn(seen, config.architecture.latent_size, generator=rng))

    def fetch(self, rows: Tensor, share: Share) -> Fetched:
        return self._resident.fetch(rows[self._slices(share.of(self.seen(len(rows))))])

    def _slices(self, own: slice) -> slice:
        """Of the batch's slices, those that hold `own` of what the network sees of it."""
        return slice(own.start // self._patches, -(-own.stop // self._patches))

    def example(self, fetched: Fetched, draws: Draws, share: Share) -> Example:
        own = share.of(len(draws.latent))
        slices = self._slices(own)
        pixels, mask = self._resident.take(fetched)
        if draws.changes is not None:
            pixels, mask = augmentation.changed(pixels, mask, draws.changes.of(slices).to(self.device))
        if draws.centres is not None:
            size = self.config.architecture.image_size
            pixels, mask = augmentation.patches_at(pixels, mask, size, draws.centres[slices].to(self.device, non_blocking=True))
            first = slices.start * self._patches
            pixels, mask = (part[own.start - first : own.stop - first] for part in (pixels, mask))
        here = Draws(None, None, draws.background, draws.coarse, draws.latent).of(own).to(self.device)
        if self.config.images != "fashion":
            pixels = augmentation.filled(pixels, mask, self.config.background, here.background)
        return pixels, mask, here.latent, augmentation.with_coarse_noise(pixels, mask, here.coarse)

    def held_out(self) -> Example:
        """The slices as scoring sees them, with the posterior's mean decoded."""
        count = len(self._validation)
        rows = np.linspace(0, count - 1, min(VALIDATION_IMAGES, count)).astype(int)
        pixels, mask = to_tensors(self._validation[rows])
        if self.config.images == "patches":
            draws = torch.rand(len(rows), 1, dtype=torch.float64, generator=generator(self.config.seed, 0))
            pixels, mask = augmentation.patches_at(pixels, mask, self.config.architecture.image_size, draws)
        return pixels, mask, torch.zeros(len(rows), self.config.architecture.latent_size), pixels

    def terms(self, network: nn.Module, *example: Tensor) -> dict[str, Tensor]:
        return loss_terms(network, self.config, *example)


def loss_terms(
    network: nn.Module, config: TrainingConfig, images: Tensor, mask: Tensor, noise: Tensor, seen: Tensor
) -> dict[str, Tensor]:
    """Batch means of the loss and its terms.

    noise: (N, L) of N(0, 1), which draws the latents; 0: the posterior's mean is decoded.
    seen: what the network is given in place of `images`, which it is to redraw.
    """
    weights = config.loss
    raw, mean, log_variance, stages = network(seen, noise)
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
