"""Anomalies that a segmenter is trained on: regions of smooth noise, changed in one of several ways.

Neither shapes nor changes are those of the toys or of the painted lesions that methods are tested on: a region is where smooth
noise about a random centre is highest, and no change gives two intensities to one region.
"""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional

HEALTHY_SHARE = 0.2  # of the images that are left as they are
MOST = 3  # anomalies an image
RADII = (1.5, 14.0)  # pixels
LEAST_CHANGE = 0.02  # of the images' range [-1, 1]: what counts as changed


def with_anomalies(images: Tensor, mask: Tensor, rng: Generator) -> tuple[Tensor, Tensor]:
    """images (N, 1, H, W) in [-1, 1] with up to MOST anomalies in the mask, and where they are, (N, 1, H, W) bool."""
    changed, truth = images, torch.zeros_like(mask)
    for _ in range(MOST):
        share = _regions(mask, rng)
        chosen = torch.rand(len(images), 1, 1, 1, generator=rng) < 0.55
        share = share * chosen * mask
        other = torch.cat([_any_change(changed[i : i + 1], images, share[i : i + 1], rng) for i in range(len(images))])
        mixed = (changed + share * (other - changed)).clamp(-1, 1)
        truth = truth | ((share >= 0.5) & ((mixed - changed).abs() > LEAST_CHANGE))
        changed = mixed
    keep = torch.rand(len(images), 1, 1, 1, generator=rng) < HEALTHY_SHARE
    return torch.where(keep, images, changed), truth & ~keep & mask


def _regions(mask: Tensor, rng: Generator) -> Tensor:
    """(N, 1, H, W) in [0, 1]: one region an image, with an edge of random softness, about a random pixel of the mask."""
    count, _, height, width = mask.shape
    weights = mask.flatten(1).float()
    weights[weights.sum(1) == 0] = 1
    centre = torch.multinomial(weights, 1, generator=rng)[:, 0]
    row, column = (centre // width).view(-1, 1, 1), (centre % width).view(-1, 1, 1)
    low, high = map(math.log, RADII)
    radius = torch.exp(low + (high - low) * torch.rand(count, 1, 1, generator=rng))
    stretch = torch.exp(0.35 * torch.randn(count, 1, 1, generator=rng))
    turn = math.pi * torch.rand(count, 1, 1, generator=rng)
    rows, columns = torch.arange(height).view(1, -1, 1) - row, torch.arange(width).view(1, 1, -1) - column
    along = (rows * turn.cos() + columns * turn.sin()) * stretch
    across = (columns * turn.cos() - rows * turn.sin()) / stretch
    distance = (along.square() + across.square()).sqrt() / radius
    rough = 0.6 * torch.rand(count, 1, 1, generator=rng)
    noise = torch.stack([_smooth_noise(height, width, float(r), rng) for r in radius.flatten()])
    softness = 0.05 + 0.5 * torch.rand(count, 1, 1, generator=rng) ** 2
    level = (1 - distance + rough * noise) * radius
    return torch.sigmoid(level / (softness * radius).clamp(min=0.3) * 2)[:, None]


def _smooth_noise(height: int, width: int, pixels: float, rng: Generator) -> Tensor:
    """(H, W) of deviation about 1, smooth over about `pixels`."""
    cells = max(2, round(height / max(pixels, 2)))
    coarse = torch.randn(1, 1, cells + 1, cells + 1, generator=rng)
    return functional.interpolate(coarse, (height, width), mode="bicubic", align_corners=True)[0, 0]


def _uniform(low: float, high: float, rng: Generator) -> float:
    return low + (high - low) * float(torch.rand(1, generator=rng))


def _amount(rng: Generator) -> float:
    """Of a change, 0.04 to 1; as many small ones as large."""
    return math.exp(_uniform(math.log(0.04), 0, rng))


def _sign(rng: Generator) -> int:
    return 1 if torch.rand(1, generator=rng) < 0.5 else -1


def _shifted(image: Tensor, _all: Tensor, _share: Tensor, rng: Generator) -> Tensor:
    return image + _sign(rng) * _amount(rng)


def _one_tissue(image: Tensor, _all: Tensor, share: Tensor, rng: Generator) -> Tensor:
    """Shifted where the image is about as bright as at one pixel of the region, and nowhere else."""
    at = torch.multinomial(share.flatten() + 1e-6, 1, generator=rng)
    near = torch.exp(-((image - image.flatten()[at]) / 0.2).square())
    return image + near * _sign(rng) * _amount(rng)


def _filled(image: Tensor, _all: Tensor, _share: Tensor, rng: Generator) -> Tensor:
    level, opacity = _uniform(-1, 1, rng), _uniform(0.4, 1, rng)
    return image + opacity * (level - image)


def _textured(image: Tensor, _all: Tensor, _share: Tensor, rng: Generator) -> Tensor:
    height, width = image.shape[2:]
    noise = _smooth_noise(height, width, math.exp(_uniform(math.log(2), math.log(10), rng)), rng)
    return _filled(image, _all, _share, rng) + _uniform(0.05, 0.4, rng) * noise


def _foreign(image: Tensor, images: Tensor, _share: Tensor, rng: Generator) -> Tensor:
    """Another place of another image of the batch."""
    other = images[int(torch.randint(len(images), (1,), generator=rng))][None]
    down, right = (int(torch.randint(-25, 26, (1,), generator=rng)) for _ in range(2))
    return image + _uniform(0.5, 1, rng) * (torch.roll(other, (down, right), (2, 3)) - image)


def _contrast(image: Tensor, _all: Tensor, share: Tensor, rng: Generator) -> Tensor:
    mean = (image * share).sum() / share.sum().clamp(min=1)
    return mean + (image - mean) * math.exp(_sign(rng) * _uniform(0.4, 1.2, rng))


def _blurred(image: Tensor, _all: Tensor, _share: Tensor, rng: Generator) -> Tensor:
    size = 2 * int(torch.randint(1, 4, (1,), generator=rng)) + 1
    return functional.avg_pool2d(image, size, 1, size // 2, count_include_pad=False)


def _moved(image: Tensor, _all: Tensor, share: Tensor, rng: Generator) -> Tensor:
    """Drawn towards or away from the middle of the region, with what it holds shifted in intensity or not."""
    height, width = image.shape[2:]
    rows, columns = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
    total = share.sum().clamp(min=1)
    row, column = (share[0, 0] * rows).sum() / total, (share[0, 0] * columns).sum() / total
    factor = math.exp(_sign(rng) * _uniform(0.25, 0.7, rng))
    points = torch.stack([column + (columns - column) * factor, row + (rows - row) * factor], -1)[None]
    moved = functional.grid_sample(image, points, align_corners=True, padding_mode="border")
    return moved + (_sign(rng) * _uniform(0, 0.4, rng) if torch.rand(1, generator=rng) < 0.5 else 0)


def _any_change(image: Tensor, images: Tensor, share: Tensor, rng: Generator) -> Tensor:
    return _CHANGES[int(torch.randint(len(_CHANGES), (1,), generator=rng))](image, images, share, rng)


_CHANGES = (
    _shifted, _shifted, _one_tissue, _one_tissue, _filled, _filled, _textured, _foreign, _contrast, _blurred, _moved, _moved,
)  # fmt: skip
