"""What the companion networks of a checkpoint learn, one class each: an example from healthy slices, and the loss on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from models.feature_autoencoder import FeatureAutoencoder
from models.unet import UNet
from training.augmentation import Changes, CoarseNoise, changed, with_coarse_noise
from training.config import Augmentation
from training.data import TrainingData
from training.loop import VALIDATION_IMAGES
from training.processes import Share
from training.randomness import Drawn
from training.resident import Fetched, Resident
from training.steps import Example
from training.synthetic_anomalies import Anomalies, with_anomalies
from vaead_core.inference.model import Model
from vaead_core.scans.volume import Slices
from vaead_core.scorers import feature_reconstruction, restored, segmenter


class CompanionTask(Protocol):
    def network(self, width: int, levels: int) -> nn.Module:
        """Untrained; it takes what `example` gives."""
        ...

    def draw(self, shape: Sequence[int], rng: Generator) -> Drawn:
        """All that is random in an example of images of `shape` (N, 1, H, W)."""
        ...

    def example(self, images: Tensor, mask: Tensor, position: Tensor, draws: Any) -> tuple[Tensor, Tensor]:
        """Input (N, planes, H, W) and target (N, 1, H, W) for healthy images (N, 1, H, W), 0 outside the mask."""
        ...

    def loss(self, output: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        """Of a batch, a scalar."""
        ...


@dataclass(frozen=True)
class Segmenter:
    """Where in a slice a synthetic anomaly is: cross-entropy over the brain, and the Dice loss (Milletari et al. 2016)."""

    model: Model

    def network(self, width: int, levels: int) -> nn.Module:
        return UNet(segmenter.PLANES, width, levels)

    def draw(self, shape: Sequence[int], rng: Generator) -> Anomalies:
        return Anomalies.draw(shape, rng)

    def example(self, images: Tensor, mask: Tensor, position: Tensor, draws: Anomalies) -> tuple[Tensor, Tensor]:
        changed, truth = with_anomalies(images, mask, draws)
        slices = _slices(changed, mask, position)
        return torch.from_numpy(segmenter.planes(slices, self.model.reference["intensity"])), truth.float()

    def loss(self, output: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        error = functional.binary_cross_entropy_with_logits(output, target, reduction="none")
        found = output.sigmoid() * mask
        both, either = (found * target).sum((1, 2, 3)), (found + target).sum((1, 2, 3))
        return (error * mask).sum() / mask.sum() + 0.5 * (1 - (2 * both + 1) / (either + 1)).mean()


@dataclass(frozen=True)
class Denoiser:
    """A slice without the coarse noise that was added to it in the brain: mean squared error (Kascenas et al. 2022)."""

    model: Model
    deviation: float = 0.2  # of the noise, where the brain's own is a third

    def network(self, width: int, levels: int) -> nn.Module:
        return UNet(1, width, levels)

    def draw(self, shape: Sequence[int], rng: Generator) -> Drawn:
        return CoarseNoise.draw(self.deviation, shape, rng) or Drawn()

    def example(self, images: Tensor, mask: Tensor, position: Tensor, draws: Any) -> tuple[Tensor, Tensor]:
        return with_coarse_noise(images, mask, draws), images

    def loss(self, output: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        return ((output - target).square() * mask).sum() / mask.sum()


@dataclass(frozen=True)
class GradedAnomalies(Drawn):
    """severity: (N,) in [0, 1], the share of what the anomalies change."""

    anomalies: Anomalies
    severity: Tensor


@dataclass(frozen=True)
class Restorer:
    """What a synthetic anomaly of a severity that it is told has changed of a slice: mean absolute error where it changed
    something, and as much again in the rest of the brain (after Naval Marimont et al. 2023)."""

    model: Model

    def network(self, width: int, levels: int) -> nn.Module:
        return UNet(restored.PLANES, width, levels)

    def draw(self, shape: Sequence[int], rng: Generator) -> GradedAnomalies:
        return GradedAnomalies(Anomalies.draw(shape, rng), torch.rand(shape[0], generator=rng))

    def example(self, images: Tensor, mask: Tensor, position: Tensor, draws: GradedAnomalies) -> tuple[Tensor, Tensor]:
        changed, _ = with_anomalies(images, mask, draws.anomalies)
        severity = draws.severity
        change = severity[:, None, None, None] * (changed - images)
        slices = _slices(images + change, mask, position)
        return torch.from_numpy(restored.planes(slices, severity.cpu().numpy())), change

    def loss(self, output: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        error, changed = (output - target).abs(), (target != 0).float()
        rest = mask * (1 - changed)
        return (error * changed).sum() / changed.sum().clamp(min=1) + (error * rest).sum() / rest.sum().clamp(min=1)


@dataclass(frozen=True)
class FeatureReconstruction:
    """The encoder's features of a healthy slice, which shall be redrawn: structural dissimilarity in the brain."""

    model: Model

    def network(self, width: int, levels: int) -> nn.Module:
        channels = feature_reconstruction.planes(self.model, _empty_slice(self.model)).shape[1]
        return FeatureAutoencoder(channels, width, levels)

    def draw(self, shape: Sequence[int], rng: Generator) -> Drawn:
        return Drawn()

    def example(self, images: Tensor, mask: Tensor, position: Tensor, draws: Drawn) -> tuple[Tensor, Tensor]:
        slices = _slices(images, mask, position)
        return torch.from_numpy(feature_reconstruction.planes(self.model, slices)), images

    def loss(self, output: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        brain = functional.adaptive_avg_pool2d(mask, (output.shape[-2], output.shape[-1]))
        return (output * brain).sum() / brain.sum()


def _slices(images: Tensor, mask: Tensor, position: Tensor) -> Slices:
    """As a scorer sees them; it is the scorer that says what a network is given."""
    return Slices(images[:, 0].cpu().numpy(), mask[:, 0].cpu().numpy(), position.numpy())


def _empty_slice(model: Model) -> Slices:
    side = model.vae.image_size
    return Slices(np.zeros((1, side, side), np.float32), np.zeros((1, side, side), bool), np.zeros(1, np.int64))


TASKS: dict[str, Callable[[Model], CompanionTask]] = {
    "segmenter": Segmenter,
    "denoiser": Denoiser,
    "restorer": Restorer,
    "feature_autoencoder": FeatureReconstruction,
}


def held_out_example(task: CompanionTask, slices: Slices, count: int) -> Example:
    """Input, target and mask of `count` slices spread over `slices`, always the same."""
    rows = np.linspace(0, len(slices) - 1, min(count, len(slices))).astype(int)
    chosen, rng = slices[rows], Generator().manual_seed(0)
    mask = torch.from_numpy(chosen.mask)[:, None]
    images = torch.from_numpy(chosen.pixels)[:, None] * mask
    draws = task.draw(images.shape, rng)
    return *task.example(images, mask, torch.from_numpy(chosen.position), draws), mask.float()


@dataclass(frozen=True)
class Draws(Drawn):
    """changes: of the slices. own: the companion's."""

    changes: Changes
    own: Drawn


@dataclass(frozen=True)
class FetchedSlices(Drawn):
    """position: (N,) of each in the atlas, on the host."""

    images: Fetched
    position: Tensor


class OnSlices:
    """A companion's task as the loop takes it: inputs, targets and masks of augmented training slices."""

    def __init__(self, task: CompanionTask, augmentation: Augmentation, data: TrainingData, device: torch.device) -> None:
        self.task, self.augmentation, self.device = task, augmentation, device
        self._resident = Resident(data.train.slices, device)
        self._position = torch.from_numpy(data.train.slices.position)
        self._validation = data.validation.slices

    @property
    def images(self) -> int:
        return len(self._resident)

    def seen(self, count: int) -> int:
        return count

    def draw(self, count: int, rng: Generator) -> Draws:
        shape = (count, *self._resident.shape)
        return Draws(Changes.draw(self.augmentation, shape, rng), self.task.draw(shape, rng))

    def fetch(self, rows: Tensor, share: Share) -> FetchedSlices:
        """All of the batch: anomalies are taken from other images of it, and one process trains a companion."""
        return FetchedSlices(self._resident.fetch(rows), self._position[rows])

    def example(self, fetched: FetchedSlices, draws: Draws, share: Share) -> Example:
        here = draws.to(self.device)
        images, brain = changed(*self._resident.take(fetched.images), here.changes)
        planes, target = self.task.example(images * brain, brain, fetched.position, here.own)
        return planes, target, brain.float()

    def held_out(self) -> Example:
        return held_out_example(self.task, self._validation, VALIDATION_IMAGES)

    def terms(self, network: nn.Module, *example: Tensor) -> dict[str, Tensor]:
        planes, target, mask = example
        return {"loss": self.task.loss(network(planes).float(), target, mask)}
