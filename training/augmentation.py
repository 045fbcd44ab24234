"""Random changes of a training batch, drawn from a generator so that a resumed run repeats them."""

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional

from training.config import Augmentation

COARSE_PIXELS = 6
CURVE_STEPS = 5
BLUR_REACH = 4  # pixels


def augment(pixels: Tensor, mask: Tensor, settings: Augmentation, rng: Generator) -> tuple[Tensor, Tensor]:
    """pixels (N, 1, H, W) in [-1, 1] and mask (N, 1, H, W) bool, moved and recoloured; background is left to fill."""
    if any((settings.rotation_degrees, settings.scale, settings.shift_pixels, settings.elastic_pixels, settings.flip)):
        points = _sampling_points(pixels, settings, rng)
        both = torch.cat([pixels * mask, mask.float()], 1)
        moved = functional.grid_sample(both, points, align_corners=False)
        mask = moved[:, 1:] > 0.5
        pixels = moved[:, :1] / moved[:, 1:].clamp(min=0.5)
    if settings.gamma:
        power = torch.exp(settings.gamma * torch.randn(len(pixels), 1, 1, 1, generator=rng))
        pixels = 2 * ((pixels.clamp(-1, 1) + 1) / 2) ** power - 1
    if settings.bias:
        coarse = settings.bias * torch.randn(len(pixels), 1, 4, 4, generator=rng)
        field = functional.interpolate(coarse, pixels.shape[2:], mode="bicubic", align_corners=True)
        pixels = pixels + field
    if settings.curve:
        pixels = _bent(pixels.clamp(-1, 1), settings.curve, rng)
    if settings.blur_pixels:
        pixels = _blurred(pixels, mask, settings.blur_pixels * torch.randn(len(pixels), generator=rng).abs())
    if settings.noise:
        level = settings.noise * torch.randn(len(pixels), 1, 1, 1, generator=rng).abs()
        pixels = pixels + level * torch.randn(pixels.shape, generator=rng)
    return pixels.clamp(-1, 1), mask


def coarse_noise(images: Tensor, mask: Tensor, deviation: float, rng: Generator) -> Tensor:
    """`images` (N, 1, H, W) with smooth noise in the brain: N(0, deviation²) on a grid of 6 pixels, upsampled and shifted.

    The network sees these and is to give the clean images back, so that it learns to redraw what is healthy and not
    whatever it sees. Kascenas et al. 2022 (there 16 × 16 on 128 × 128, for a denoising autoencoder).
    """
    if not deviation:
        return images
    count, _, height, width = images.shape
    grid = deviation * torch.randn(count, 1, height // COARSE_PIXELS, width // COARSE_PIXELS, generator=rng)
    noise = functional.interpolate(grid, (height, width), mode="bilinear", align_corners=False)
    down, right = torch.randint(height, (2,), generator=rng).tolist()
    noise = torch.roll(noise, (down, right), (2, 3)).to(images.device)
    return torch.where(mask, (images + noise).clamp(-1, 1), images)


def fill_noise(pixels: Tensor, mask: Tensor, background: str, rng: Generator) -> Tensor:
    """Background replaced: a fresh draw of N(0, 1/3) clipped to [-1, 1], or -1, or 0."""
    if background == "noise":
        filling = (torch.randn(pixels.shape, generator=rng) / 3).clamp(-1, 1)
    else:
        filling = torch.full_like(pixels, -1.0 if background == "black" else 0.0)
    return torch.where(mask, pixels, filling)


def random_patches(pixels: Tensor, mask: Tensor, size: int, count: int, rng: Generator) -> tuple[Tensor, Tensor]:
    """`count` patches of each image, centred at random brain pixels: (N·count, 1, size, size) twice."""
    height, width = pixels.shape[2:]
    weights = mask.flatten(1).float()
    weights[weights.sum(1) == 0] = 1
    centres = torch.multinomial(weights, count, replacement=True, generator=rng)
    top = (centres // width - size // 2).clamp(0, height - size)
    left = (centres % width - size // 2).clamp(0, width - size)
    rows = top[..., None] + torch.arange(size)
    columns = left[..., None] + torch.arange(size)
    image = torch.arange(len(pixels))[:, None, None, None]
    picks = (image, 0, rows[..., :, None], columns[..., None, :])
    return pixels[picks].flatten(0, 1)[:, None], mask[picks].flatten(0, 1)[:, None]


def _bent(pixels: Tensor, deviation: float, rng: Generator) -> Tensor:
    """`pixels` (N, 1, H, W) in [-1, 1] through a curve an image that rises from -1 to 1 in CURVE_STEPS straight steps."""
    rises = torch.exp(deviation * torch.randn(len(pixels), CURVE_STEPS, generator=rng))
    heights = functional.pad((2 * rises / rises.sum(1, keepdim=True)).cumsum(1) - 1, (1, 0), value=-1.0)
    along = (pixels.flatten(1) + 1) / 2 * CURVE_STEPS
    step = along.floor().clamp(max=CURVE_STEPS - 1).long()
    low, high = heights.gather(1, step), heights.gather(1, step + 1)
    return (low + (along - step) * (high - low)).view_as(pixels)


def _blurred(pixels: Tensor, mask: Tensor, widths: Tensor) -> Tensor:
    """`pixels` (N, 1, H, W) under a Gaussian of `widths` (N,) pixels within the mask, which brings nothing in from outside."""
    reach = torch.arange(-BLUR_REACH, BLUR_REACH + 1)
    kernels = torch.exp(-(reach**2) / (2 * widths.clamp(min=0.1)[:, None] ** 2))
    kernels = kernels / kernels.sum(1, keepdim=True)

    def smooth(images: Tensor) -> Tensor:
        count, rows = len(images), images.transpose(0, 1)
        across = functional.conv2d(rows, kernels[:, None, None, :], padding=(0, BLUR_REACH), groups=count)
        return functional.conv2d(across, kernels[:, None, :, None], padding=(BLUR_REACH, 0), groups=count).transpose(0, 1)

    return torch.where(mask, smooth(pixels * mask) / smooth(mask.float()).clamp(min=1e-6), pixels)


def _sampling_points(pixels: Tensor, settings: Augmentation, rng: Generator) -> Tensor:
    count, _, height, width = pixels.shape
    angle = math.radians(settings.rotation_degrees) * torch.randn(count, generator=rng)
    scale = 1 + settings.scale * torch.randn(count, 2, generator=rng)
    shift = 2 * settings.shift_pixels / width * torch.randn(count, 2, generator=rng)
    mirror = torch.where(torch.rand(count, generator=rng) < 0.5, -1.0, 1.0) if settings.flip else torch.ones(count)
    matrix = torch.stack(
        [
            torch.stack([mirror * scale[:, 0] * angle.cos(), -angle.sin(), shift[:, 0]], 1),
            torch.stack([mirror * angle.sin(), scale[:, 1] * angle.cos(), shift[:, 1]], 1),
        ],
        1,
    )
    points = functional.affine_grid(matrix, list(pixels.shape), align_corners=False)
    if settings.elastic_pixels:
        coarse = torch.randn(count, 2, height // 12, width // 12, generator=rng) * 2 * settings.elastic_pixels / width
        points = points + functional.interpolate(coarse, (height, width), mode="bicubic").permute(0, 2, 3, 1)
    return points
