"""Constrained VAE: ResNet-18 encoder, dense latent, residual decoder (Silva-Rodríguez et al. 2022)."""

from itertools import pairwise, product
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.simple_vae import bounded
from models.vae import VAE

STRIDE = {"resnet": 32, "uas": 16}
# (9, 16): a flattened 3×3 kernel times this is the transposed 4×4 kernel that upsamples (×2, nearest) first.
_WITH_UPSAMPLING = torch.zeros(9, 16)
for _row, _column, _i, _j in product(range(3), range(3), range(2), range(2)):
    _WITH_UPSAMPLING[3 * _row + _column, 4 * (2 - _row + _i) + 2 - _column + _j] = 1


class ConstrainedVAE(VAE):
    """`stem` resnet: 7×7/2 + BN + ReLU + max pool (He et al. 2016); uas: 7×7/2 alone, as the official code.

    `width` is the first stage's channels, 64 for a full ResNet-18; the decoder scales with it.
    """

    expand: nn.Module

    def __init__(
        self, image_size: int = 96, latent_size: int = 128, width: int = 64,
        stem: Literal["resnet", "uas"] = "resnet",
    ) -> None:  # fmt: skip
        super().__init__()
        if stem not in list(STRIDE):
            raise ValueError(f"stem must be resnet or uas, got {stem!r}")
        stride = STRIDE[stem]
        if image_size % stride:
            raise ValueError(f"image_size must be a multiple of {stride} for stem {stem}, got {image_size}")
        self.image_size, self.latent_size = image_size, latent_size
        self.grid = image_size // stride
        self.stem = nn.Sequential(nn.Conv2d(1, width, 7, 2, 3, bias=False))
        if stem == "resnet":
            self.stem.extend([nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(3, 2, 1)])
        channels = [width, width, 2 * width, 4 * width, 8 * width]
        self.stages = nn.ModuleList(
            nn.Sequential(Residual(i, o, 1 if index == 0 else 2), Residual(o, o, 1))
            for index, (i, o) in enumerate(pairwise(channels))
        )
        flat = channels[-1] * self.grid**2
        self.mean, self.log_variance = nn.Linear(flat, latent_size), nn.Linear(flat, latent_size)
        doublings = stride.bit_length() - 1
        widths = [max(8, (16 << doublings - step) * width // 64) for step in range(doublings + 1)]
        self.seed_channels = widths[0]
        self.expand = nn.Linear(latent_size, widths[0] * self.grid**2)
        self.ups = nn.Sequential(*(_ResidualUp(i, o) for i, o in pairwise(widths)))
        self.to_image = nn.Conv2d(widths[-1], 1, 3, padding=1)

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        """(N, 1, H, W) in [-1, 1] → mean, log variance (N, L), the four stages' outputs (after ReLU)."""
        features, stages = self.stem(images), []
        for stage in self.stages:
            features = stage(features)
            stages.append(features)
        flat = features.flatten(1)
        return self.mean(flat), bounded(self.log_variance(flat)), stages

    def decode(self, latents: Tensor) -> Tensor:
        """Images (N, 1, H, W), linear output."""
        seed = self.expand(latents).reshape(-1, self.seed_channels, self.grid, self.grid)
        return self.to_image(self.ups(seed))

    def forward(self, images: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor, list[Tensor]]:
        """Reconstruction, mean, log variance, stages, for latents mean + noise · σ; noise (N, L)."""
        mean, log_variance, stages = self.encode(images)
        return self.decode(mean + noise * (log_variance / 2).exp()), mean, log_variance, stages


class Residual(nn.Module):
    """ResNet's basic block."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs),
        )  # fmt: skip
        self.shortcut = nn.Sequential()
        if inputs != outputs or stride > 1:
            self.shortcut.extend([nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)])

    def forward(self, features: Tensor) -> Tensor:
        return functional.relu(self.body(features) + self.shortcut(features))


class _ResidualUp(nn.Module):
    """×2 nearest upsampling, then a basic block, with fewer products.

    Upsampling and a 3×3 convolution are one transposed 4×4 convolution of stride 2; upsampling and a 1×1 convolution commute.
    """

    with_upsampling: Tensor

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.block = Residual(inputs, outputs, 1)
        self.register_buffer("with_upsampling", _WITH_UPSAMPLING.clone(), persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        if torch.onnx.is_in_onnx_export():
            return self._exported(features)
        first, *rest = self.block.body
        with torch.autocast(features.device.type, enabled=False):  # sums of weights, which are rounded once
            kernel = self._kernel(cast(nn.Conv2d, first).weight, self.with_upsampling)
        inner = functional.conv_transpose2d(features, kernel, None, 2, 1)
        for layer in rest:
            inner = layer(inner)
        if not self.block.shortcut:
            return functional.relu(inner + _doubled(features))
        projection, norm = self.block.shortcut
        return functional.relu(inner + norm(_doubled(projection(features))))

    @staticmethod
    def _kernel(weight: Tensor, with_upsampling: Tensor) -> Tensor:
        """(inputs, outputs, 4, 4), transposed, of a 3×3 `weight` (outputs, inputs, 3, 3)."""
        return (weight.transpose(0, 1).flatten(2) @ with_upsampling).reshape(weight.shape[1], weight.shape[0], 4, 4)

    def _exported(self, features: Tensor) -> Tensor:
        """The same values in evaluation mode: what the ONNX graph computes, whose kernel holds the batch norm too.

        ONNX Runtime computes the kernel once, when it loads the graph.
        """
        first, second, activation, *rest = self.block.body
        convolution, norm = cast(nn.Conv2d, first), cast(nn.BatchNorm2d, second)
        scale = norm_scale(norm)
        kernel = self._kernel(convolution.weight * scale[:, None, None, None], _WITH_UPSAMPLING)
        bias = norm.bias - cast(Tensor, norm.running_mean) * scale
        inner = activation(functional.conv_transpose2d(features, kernel, bias, 2, 1))
        for layer in rest:
            inner = layer(inner)
        return functional.relu(inner + _doubled(self.block.shortcut(features)))


def norm_scale(norm: nn.BatchNorm2d) -> Tensor:
    """(C,) what a batch norm in evaluation mode multiplies each channel by."""
    return norm.weight * (cast(Tensor, norm.running_var) + norm.eps).rsqrt()


def _doubled(features: Tensor) -> Tensor:
    return functional.interpolate(features, scale_factor=2.0, mode="nearest")
