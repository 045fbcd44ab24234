"""A small U-Net (Ronneberger et al. 2015) from several planes to one: the companion networks of a checkpoint."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional


class UNet(nn.Module):
    """`levels` resolutions, channels doubling from `width`; image sizes must be multiples of 2^(levels − 1)."""

    def __init__(self, inputs: int = 1, width: int = 16, levels: int = 4) -> None:
        super().__init__()
        channels = [width << level for level in range(levels)]
        self.first = _block(inputs, width)
        self.downs = nn.ModuleList(_block(i, o) for i, o in pairwise(channels))
        self.ups = nn.ModuleList(_block(i + o, o) for i, o in pairwise(channels[::-1]))
        self.last = nn.Conv2d(width, 1, 1)

    def forward(self, planes: Tensor) -> Tensor:
        """(N, inputs, H, W) → (N, 1, H, W), linear output."""
        skips = [self.first(planes)]
        for down in self.downs:
            skips.append(down(functional.max_pool2d(skips[-1], 2)))
        features = skips.pop()
        for up in self.ups:
            wider = functional.interpolate(features, scale_factor=2.0, mode="nearest")
            features = up(torch.cat([wider, skips.pop()], 1))
        return self.last(features)


def _block(inputs: int, outputs: int) -> nn.Sequential:
    def layer(i: int) -> list[nn.Module]:
        return [nn.Conv2d(i, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]

    return nn.Sequential(*layer(inputs), *layer(outputs))
