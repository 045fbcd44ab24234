"""Random changes of a training batch, drawn from a generator so that a resumed run repeats them.

What is drawn comes from the processor, and is applied where the images are: every device trains on the same images.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import functional

from training.config import Augmentation
from training.randomness import Drawn

COARSE_PIXELS = 6
CURVE_STEPS = 5
BLUR_REACH = 4  # pixels


@dataclass(frozen=True)
class Changes(Drawn):
    """What `augment` does to each of N images; None for what it leaves alone.

    matrix: (N, 2, 3) of the sampling points. elastic: (N, 2, h, w) coarse shifts of them, None for none. power: (N, 1, 1, 1)
    of gamma. field: (N, 1, 4, 4) coarse. rises: (N, CURVE_STEPS) of the curve. widths: (N,) pixels of the blur. noise:
    (N, 1, H, W).
    """

    matrix: Tensor | None
    elastic: Tensor | None
    power: Tensor | None
    field: Tensor | None
    rises: Tensor | None
    widths: Tensor | None
    noise: Tensor | None

    @staticmethod
    def draw(settings: Augmentation, shape: Sequence[int], rng: Generator) -> Changes:
        """For images of `shape` (N, 1, H, W); `rng` is a generator of the processor, so that every device sees the same."""
        count, _, height, width = shape

        def normal(*size: int) -> Tensor:
            return torch.randn(*size, generator=rng)

        moves = any((settings.rotation_degrees, settings.scale, settings.shift_pixels, settings.elastic_pixels, settings.flip))
        matrix = _matrix(settings, count, width, rng) if moves else None
        elastic = None
        if settings.elastic_pixels:
            elastic = normal(count, 2, height // 12, width // 12) * 2 * settings.elastic_pixels / width
        power = torch.exp(settings.gamma * normal(count, 1, 1, 1)) if settings.gamma else None
        field = settings.bias * normal(count, 1, 4, 4) if settings.bias else None
        rises = torch.exp(settings.curve * normal(count, CURVE_STEPS)) if settings.curve else None
        widths = settings.blur_pixels * normal(count).abs() if settings.blur_pixels else None
        noise = settings.noise * normal(count, 1, 1, 1).abs() * normal(*shape) if settings.noise else None
        return Changes(matrix, elastic, power, field, rises, widths, noise)


def augment(pixels: Tensor, mask: Tensor, settings: Augmentation, rng: Generator) -> tuple[Tensor, Tensor]:
    """pixels (N, 1, H, W) in [-1, 1] and mask (N, 1, H, W) bool, moved and recoloured; background is left to fill."""
    return changed(pixels, mask, Changes.draw(settings, pixels.shape, rng).to(pixels.device))


def changed(pixels: Tensor, mask: Tensor, draws: Changes) -> tuple[Tensor, Tensor]:
    """As `augment`, on the device where the images and the draws are; it draws nothing and waits for nothing."""
    if draws.matrix is not None:
        both = torch.cat([pixels * mask, mask.float()], 1)
        moved = functional.grid_sample(both, _points(draws.matrix, draws.elastic, pixels.shape), align_corners=False)
        mask = moved[:, 1:] > 0.5
        pixels = moved[:, :1] / moved[:, 1:].clamp(min=0.5)
    if draws.power is not None:
        pixels = 2 * ((pixels.clamp(-1, 1) + 1) / 2) ** draws.power - 1
    if draws.field is not None:
        pixels = pixels + functional.interpolate(draws.field, pixels.shape[2:], mode="bicubic", align_corners=True)
    if draws.rises is not None:
        pixels = _bent(pixels.clamp(-1, 1), draws.rises)
    if draws.widths is not None:
        pixels = _blurred(pixels, mask, draws.widths)
    if draws.noise is not None:
        pixels = pixels + draws.noise
    return pixels.clamp(-1, 1), mask


@dataclass(frozen=True)
class CoarseNoise(Drawn):
    """Smooth noise in the brain: N(0, deviation²) on a grid of 6 pixels, (N, 1, h, w), upsampled and shifted down and right.

    The network sees it and is to give the clean images back, so that it learns to redraw what is healthy and not
    whatever it sees. Kascenas et al. 2022 (there 16 × 16 on 128 × 128, for a denoising autoencoder).
    """

    grid: Tensor
    shift: tuple[int, int]

    @staticmethod
    def draw(deviation: float, shape: Sequence[int], rng: Generator) -> CoarseNoise | None:
        """For images of `shape` (N, 1, H, W); None where there is to be none."""
        if not deviation:
            return None
        count, _, height, width = shape
        grid = deviation * torch.randn(count, 1, height // COARSE_PIXELS, width // COARSE_PIXELS, generator=rng)
        down, right = torch.randint(height, (2,), generator=rng).tolist()
        return CoarseNoise(grid, (down, right))


def with_coarse_noise(images: Tensor, mask: Tensor, draws: CoarseNoise | None) -> Tensor:
    """`images` (N, 1, H, W) with the noise in the mask."""
    if draws is None:
        return images
    noise = functional.interpolate(draws.grid, images.shape[2:], mode="bilinear", align_corners=False)
    return torch.where(mask, (images + torch.roll(noise, draws.shift, (2, 3))).clamp(-1, 1), images)


def background_noise(background: str, shape: Sequence[int], rng: Generator) -> Tensor | None:
    """A fresh draw of N(0, 1/3) clipped to [-1, 1] for `filled`, where the background is to be noise."""
    return (torch.randn(*shape, generator=rng) / 3).clamp(-1, 1) if background == "noise" else None


def filled(pixels: Tensor, mask: Tensor, background: str, noise: Tensor | None) -> Tensor:
    """Background replaced: by the noise, or by -1, or by 0."""
    filling = torch.full_like(pixels, -1.0 if background == "black" else 0.0) if noise is None else noise
    return torch.where(mask, pixels, filling)


def picked(weights: Tensor, draws: Tensor) -> Tensor:
    """For each of `draws` (N, M) float64 in [0, 1), the index that it picks of `weights` (N, P), in proportion to them.

    As `torch.multinomial` picks on the processor; where all weights are 0, any index is picked.
    """
    weights = torch.where(weights.sum(1, keepdim=True) == 0, 1.0, weights)
    shares = weights.cumsum(1)
    return torch.searchsorted((shares / shares[:, -1:]).double(), draws)


def patches_at(pixels: Tensor, mask: Tensor, size: int, draws: Tensor) -> tuple[Tensor, Tensor]:
    """Of each image as many patches as `draws` (N, M), centred at brain pixels that they pick: (N·M, 1, size, size) twice."""
    height, width = pixels.shape[2:]
    centres = picked(mask.flatten(1).float(), draws)
    top = (centres // width - size // 2).clamp(0, height - size)
    left = (centres % width - size // 2).clamp(0, width - size)
    along = torch.arange(size, device=pixels.device)
    image = torch.arange(len(pixels), device=pixels.device)[:, None, None, None]
    picks = (image, 0, (top[..., None] + along)[..., :, None], (left[..., None] + along)[..., None, :])
    return pixels[picks].flatten(0, 1)[:, None], mask[picks].flatten(0, 1)[:, None]


def _bent(pixels: Tensor, rises: Tensor) -> Tensor:
    """`pixels` (N, 1, H, W) in [-1, 1] through a curve an image that rises from -1 to 1 in straight steps like `rises`."""
    heights = functional.pad((2 * rises / rises.sum(1, keepdim=True)).cumsum(1) - 1, (1, 0), value=-1.0)
    along = (pixels.flatten(1) + 1) / 2 * CURVE_STEPS
    step = along.floor().clamp(max=CURVE_STEPS - 1).long()
    low, high = heights.gather(1, step), heights.gather(1, step + 1)
    return (low + (along - step) * (high - low)).view_as(pixels)


def _blurred(pixels: Tensor, mask: Tensor, widths: Tensor) -> Tensor:
    """`pixels` (N, 1, H, W) under a Gaussian of `widths` (N,) pixels within the mask, which brings nothing in from outside."""
    reach = torch.arange(-BLUR_REACH, BLUR_REACH + 1, device=pixels.device)
    kernels = torch.exp(-(reach**2) / (2 * widths.clamp(min=0.1)[:, None] ** 2))
    kernels = kernels / kernels.sum(1, keepdim=True)

    def smooth(images: Tensor) -> Tensor:
        count, rows = len(images), images.transpose(0, 1)
        across = functional.conv2d(rows, kernels[:, None, None, :], padding=(0, BLUR_REACH), groups=count)
        return functional.conv2d(across, kernels[:, None, :, None], padding=(BLUR_REACH, 0), groups=count).transpose(0, 1)

    return torch.where(mask, smooth(pixels * mask) / smooth(mask.float()).clamp(min=1e-6), pixels)


def _matrix(settings: Augmentation, count: int, width: int, rng: Generator) -> Tensor:
    """(N, 2, 3) as `affine_grid` takes it."""
    angle = math.radians(settings.rotation_degrees) * torch.randn(count, generator=rng)
    scale = 1 + settings.scale * torch.randn(count, 2, generator=rng)
    shift = 2 * settings.shift_pixels / width * torch.randn(count, 2, generator=rng)
    mirror = torch.where(torch.rand(count, generator=rng) < 0.5, -1.0, 1.0) if settings.flip else torch.ones(count)
    return torch.stack(
        [
            torch.stack([mirror * scale[:, 0] * angle.cos(), -angle.sin(), shift[:, 0]], 1),
            torch.stack([mirror * angle.sin(), scale[:, 1] * angle.cos(), shift[:, 1]], 1),
        ],
        1,
    )


def _points(matrix: Tensor, elastic: Tensor | None, shape: torch.Size) -> Tensor:
    """(N, H, W, 2) where each pixel is sampled."""
    points = functional.affine_grid(matrix, list(shape), align_corners=False)
    if elastic is not None:
        points = points + functional.interpolate(elastic, shape[2:], mode="bicubic").permute(0, 2, 3, 1)
    return points
