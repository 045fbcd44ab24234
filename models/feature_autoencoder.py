"""An autoencoder of another network's features (Meissen et al. 2022, there of a network trained on photographs)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

WINDOW = 5  # of the SSIM
STABILISER = 0.03**2  # its constant C2, for features of unit variance; their mean is 0, and so C1 is the same


class FeatureAutoencoder(nn.Module):
    """Standardises features, halves their grid `levels` − 1 times, redraws them, and says how dissimilar the two are."""

    def __init__(self, inputs: int, width: int = 16, levels: int = 4) -> None:
        super().__init__()
        channels = [width * times for times in (6, 9, 12, 18, 27)[:levels]]
        self.standardised = nn.BatchNorm2d(inputs, affine=False)
        downs = [_layer(i, o, stride=2) for i, o in pairwise(channels)]
        ups = [nn.Sequential(nn.Upsample(scale_factor=2.0), _layer(i, o)) for i, o in pairwise(channels[::-1])]
        self.body = nn.Sequential(_layer(inputs, channels[0]), *downs, *ups, nn.Conv2d(channels[0], inputs, 1))

    def forward(self, features: Tensor) -> Tensor:
        """(N, inputs, h, w), h and w multiples of 2^(levels − 1) → (N, 1, h, w) mean over channels of (1 − SSIM) / 2."""
        standard = self.standardised(features.float())
        return (0.5 * (1 - _ssim(standard, self.body(standard).float()))).mean(1, keepdim=True)


def _layer(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.LeakyReLU())


def _ssim(first: Tensor, second: Tensor) -> Tensor:
    """Structural similarity at each place, in a flat window (Wang et al. 2004); the same shape."""

    def mean(values: Tensor) -> Tensor:
        return functional.avg_pool2d(values, WINDOW, 1, WINDOW // 2, count_include_pad=False)

    with torch.autocast(first.device.type, enabled=False):
        mean_first, mean_second = mean(first), mean(second)
        variance_first = mean(first * first) - mean_first * mean_first
        variance_second = mean(second * second) - mean_second * mean_second
        covariance = mean(first * second) - mean_first * mean_second
        squares = mean_first * mean_first + mean_second * mean_second
        luminance = (2 * mean_first * mean_second + STABILISER) / (squares + STABILISER)
        return luminance * (2 * covariance + STABILISER) / (variance_first + variance_second + STABILISER)
