"""Anomalies that companion networks are trained on: regions of smooth noise, changed in one of several ways.

Neither shapes nor changes are those of the toys or of the painted lesions that methods are tested on: a region is where smooth
noise about a random centre is highest, and no change gives two intensities to one region.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import functional

from training.augmentation import picked
from training.randomness import Drawn

HEALTHY_SHARE = 0.2  # of the images that are left as they are
MOST = 3  # anomalies an image
EACH = 0.55  # how likely each of them is
RADII = (1.5, 14.0)  # pixels
GRAINS = (2.0, 10.0)  # pixels, of a texture
FINEST = 2.0  # pixels of smooth noise
LEAST_CHANGE = 0.02  # of the images' range [-1, 1]: what counts as changed
WINDOWS = (3, 5, 7)  # pixels of a blur


@dataclass(frozen=True)
class Regions(Drawn):
    """centre: picks a pixel of the mask. radius: pixels. turn: radians. noise: coarse, of the outline. All (N, MOST, ...)."""

    centre: Tensor
    radius: Tensor
    stretch: Tensor
    turn: Tensor
    rough: Tensor
    softness: Tensor
    noise: Tensor


@dataclass(frozen=True)
class Settings(Drawn):
    """What each kind of change takes of these. All (N, MOST, ...).

    step: signed, of intensity. pixel: picks one of the region. grain: pixels, strength, texture: coarse noise, of a texture.
    donor: an image of the batch, moved by shift. power: of contrast. window: which of WINDOWS. zoom: of what is drawn about.
    """

    step: Tensor
    pixel: Tensor
    level: Tensor
    opacity: Tensor
    grain: Tensor
    strength: Tensor
    texture: Tensor
    donor: Tensor
    shift: Tensor
    presence: Tensor
    power: Tensor
    window: Tensor
    zoom: Tensor
    offset: Tensor


@dataclass(frozen=True)
class Anomalies(Drawn):
    """What `with_anomalies` does to N images, MOST times over.

    order: (N, MOST), the images by their kind of change, behind them those that are left as they are. counts: how many are of
    each kind, MOST times; on the processor, so that nobody waits for a device to know how many there are.
    """

    order: Tensor
    counts: tuple[tuple[int, ...], ...]
    regions: Regions
    settings: Settings

    @staticmethod
    def draw(shape: Sequence[int], rng: Generator) -> Anomalies:
        """For images of `shape` (N, 1, H, W)."""
        count, height = shape[0], shape[2]
        size, grid = (count, MOST), (height + 1) // 2 + 1

        def uniform(low: float, high: float) -> Tensor:
            return low + (high - low) * torch.rand(*size, generator=rng)

        def even_in_logarithm(low: float, high: float) -> Tensor:
            return torch.exp(uniform(math.log(low), math.log(high)))

        def sign() -> Tensor:
            return torch.where(torch.rand(*size, generator=rng) < 0.5, 1.0, -1.0)

        def picks() -> Tensor:
            return torch.rand(*size, dtype=torch.float64, generator=rng)

        def coarse() -> Tensor:
            return torch.randn(*size, grid, grid, generator=rng)

        kinds = torch.arange(len(_CHANGES)).repeat_interleave(torch.tensor([weight for _, weight in _CHANGES]))
        kind = kinds[torch.randint(len(kinds), size, generator=rng)]
        changes = (torch.rand(*size, generator=rng) < EACH) & (torch.rand(count, 1, generator=rng) >= HEALTHY_SHARE)
        kind = torch.where(changes, kind, len(_CHANGES))
        counts = tuple(tuple(torch.bincount(one, minlength=len(_CHANGES) + 1)[:-1].tolist()) for one in kind.T)
        regions = Regions(
            picks(), even_in_logarithm(*RADII), torch.exp(0.35 * torch.randn(*size, generator=rng)), uniform(0, math.pi),
            uniform(0, 0.6), 0.05 + 0.5 * uniform(0, 1) ** 2, coarse(),
        )  # fmt: skip
        settings = Settings(
            step=sign() * even_in_logarithm(0.04, 1),  # as many small ones as large
            pixel=picks(),
            level=uniform(-1, 1),
            opacity=uniform(0.4, 1),
            grain=even_in_logarithm(*GRAINS),
            strength=uniform(0.05, 0.4),
            texture=coarse(),
            donor=torch.randint(count, size, generator=rng),
            shift=torch.randint(-25, 26, (*size, 2), generator=rng),
            presence=uniform(0.5, 1),
            power=torch.exp(sign() * uniform(0.4, 1.2)),
            window=torch.randint(len(WINDOWS), size, generator=rng),
            zoom=torch.exp(sign() * uniform(0.25, 0.7)),
            offset=sign() * uniform(0, 0.4) * (torch.rand(*size, generator=rng) < 0.5),
        )
        return Anomalies(kind.argsort(stable=True, dim=0), counts, regions, settings)


def with_anomalies(images: Tensor, mask: Tensor, draws: Anomalies) -> tuple[Tensor, Tensor]:
    """images (N, 1, H, W) in [-1, 1] with up to MOST anomalies in the mask, and where they are, (N, 1, H, W) bool."""
    changed, truth = images.clone(), torch.zeros_like(mask)
    for time, counts in enumerate(draws.counts):
        if not sum(counts):
            continue
        rows = draws.order[: sum(counts), time]
        regions, settings = draws.regions.at(rows, time), draws.settings.at(rows, time)
        before, brain = changed[rows], mask[rows]
        share = _shares(brain, regions) * brain
        parts, begin = [], 0
        for (change, _), count in zip(_CHANGES, counts, strict=True):
            own = slice(begin, begin + count)
            if count:
                parts.append(change(before[own], share[own], settings.of(own), images))
            begin += count
        after = (before + share * (torch.cat(parts) - before)).clamp(-1, 1)
        truth[rows] = truth[rows] | ((share >= 0.5) & ((after - before).abs() > LEAST_CHANGE))
        changed[rows] = after
    return changed, truth & mask


def _shares(mask: Tensor, regions: Regions) -> Tensor:
    """(N, 1, H, W) in [0, 1]: one region an image, with an edge of some softness, about a pixel of the mask."""
    height, width = mask.shape[2:]
    centre = picked(mask.flatten(1).float(), regions.centre[:, None])[:, 0]
    row, column = _wide(centre // width), _wide(centre % width)
    radius, stretch, turn = _wide(regions.radius), _wide(regions.stretch), _wide(regions.turn)
    rows = torch.arange(height, device=mask.device).view(1, 1, -1, 1) - row
    columns = torch.arange(width, device=mask.device) - column
    along = (rows * turn.cos() + columns * turn.sin()) * stretch
    across = (columns * turn.cos() - rows * turn.sin()) / stretch
    distance = (along.square() + across.square()).sqrt() / radius
    noise = _smooth_noise(regions.noise, regions.radius, height, width)
    level = (1 - distance + _wide(regions.rough) * noise) * radius
    return torch.sigmoid(level / (_wide(regions.softness) * radius).clamp(min=0.3) * 2)


def _smooth_noise(coarse: Tensor, pixels: Tensor, height: int, width: int) -> Tensor:
    """(N, 1, H, W) of deviation about 1, smooth over about `pixels` (N,): the first cells of `coarse` (N, G, G), upsampled."""
    count, size = len(coarse), coarse.shape[-1]
    cells = (height / pixels.clamp(min=FINEST)).round().clamp(min=2)
    held = torch.minimum(torch.arange(size, device=coarse.device), cells[:, None].long())  # the last cell goes on for ever
    coarse = coarse.gather(1, held[:, :, None].expand(-1, -1, size)).gather(2, held[:, None].expand(-1, size, -1))
    reach = 2 * cells[:, None] / (size - 1)
    rows, columns = (torch.linspace(0, 1, side, device=coarse.device) * reach - 1 for side in (height, width))
    points = torch.stack([columns[:, None].expand(count, height, width), rows[:, :, None].expand(count, height, width)], -1)
    return functional.grid_sample(coarse[:, None], points, "bicubic", padding_mode="border", align_corners=True)


def _wide(values: Tensor) -> Tensor:
    """(N,) as (N, 1, 1, 1)."""
    return values[:, None, None, None]


def _shifted(image: Tensor, _share: Tensor, draws: Settings, _images: Tensor) -> Tensor:
    return image + _wide(draws.step)


def _one_tissue(image: Tensor, share: Tensor, draws: Settings, _images: Tensor) -> Tensor:
    """Shifted where the image is about as bright as at one pixel of the region, and nowhere else."""
    at = picked(share.flatten(1).double() + 1e-6, draws.pixel[:, None])
    near = torch.exp(-((image - _wide(image.flatten(1).gather(1, at)[:, 0])) / 0.2).square())
    return image + near * _wide(draws.step)


def _filled(image: Tensor, _share: Tensor, draws: Settings, _images: Tensor) -> Tensor:
    return image + _wide(draws.opacity) * (_wide(draws.level) - image)


def _textured(image: Tensor, share: Tensor, draws: Settings, images: Tensor) -> Tensor:
    noise = _smooth_noise(draws.texture, draws.grain, *image.shape[2:])
    return _filled(image, share, draws, images) + _wide(draws.strength) * noise


def _foreign(image: Tensor, _share: Tensor, draws: Settings, images: Tensor) -> Tensor:
    """Another place of another image of the batch."""
    height, width = image.shape[2:]
    rows = (torch.arange(height, device=image.device) - draws.shift[:, :1]) % height
    columns = (torch.arange(width, device=image.device) - draws.shift[:, 1:]) % width
    other = images[draws.donor[:, None, None], 0, rows[:, :, None], columns[:, None]][:, None]
    return image + _wide(draws.presence) * (other - image)


def _contrast(image: Tensor, share: Tensor, draws: Settings, _images: Tensor) -> Tensor:
    mean = _wide((image * share).sum((1, 2, 3)) / share.sum((1, 2, 3)).clamp(min=1))
    return mean + (image - mean) * _wide(draws.power)


def _blurred(image: Tensor, _share: Tensor, draws: Settings, _images: Tensor) -> Tensor:
    blurs = [functional.avg_pool2d(image, size, 1, size // 2, count_include_pad=False) for size in WINDOWS]
    return torch.stack(blurs, 1)[torch.arange(len(image), device=image.device), draws.window]


def _moved(image: Tensor, share: Tensor, draws: Settings, _images: Tensor) -> Tensor:
    """Drawn towards or away from the middle of the region, with what it holds shifted in intensity or not."""
    height, width = image.shape[2:]
    rows = torch.linspace(-1, 1, height, device=image.device)[:, None]
    columns = torch.linspace(-1, 1, width, device=image.device)
    part, zoom = share[:, 0], draws.zoom[:, None, None]
    total = part.sum((1, 2)).clamp(min=1)
    row, column = (((part * along).sum((1, 2)) / total)[:, None, None] for along in (rows, columns))
    points = torch.stack(torch.broadcast_tensors(column + (columns - column) * zoom, row + (rows - row) * zoom), -1)
    return functional.grid_sample(image, points, align_corners=True, padding_mode="border") + _wide(draws.offset)


_CHANGES = (  # and how often each is drawn
    (_shifted, 2), (_one_tissue, 2), (_filled, 2), (_textured, 1), (_foreign, 1), (_contrast, 1), (_blurred, 1), (_moved, 2),
)  # fmt: skip
