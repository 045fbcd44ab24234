"""Gradients with respect to the image, written as forward operations, so that ONNX can hold them.

`forward_with_pullback(module, inputs)` runs a module in evaluation mode and returns its output and a function from the gradient
of the output to that of the input: the chain rule, one module after the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.constrained_vae import Residual, norm_scale
from models.simple_vae import LOG_VARIANCE_BOUND, bounded
from models.spatial_vae import AtEachPlace
from models.vae import VAE

Pullback = Callable[[Tensor], Tensor]


def kl_gradient(network: VAE, images: Tensor) -> Tensor:
    """∂KL(q(z | x) ‖ N(0, I)) / ∂x of images (N, 1, H, W), the same shape. Zimmerer et al. 2019."""
    body = nn.Sequential(*getattr(network, "stem", ()), *network.stages)
    features, to_image = forward_with_pullback(body, images)
    flat = features.flatten(1)
    mean, from_mean = forward_with_pullback(network.mean, flat)
    raw, from_variance = forward_with_pullback(network.log_variance, flat)
    inside = (raw.abs() < LOG_VARIANCE_BOUND).to(raw.dtype)
    gradient = from_mean(mean) + from_variance(0.5 * (bounded(raw).exp() - 1) * inside)
    return to_image(gradient.reshape(features.shape))


def forward_with_pullback(module: nn.Module, inputs: Tensor) -> tuple[Tensor, Pullback]:
    """Output of a module of an encoder, and its pullback. Raises TypeError for a kind that no encoder has."""
    if isinstance(module, nn.Sequential):
        return _chain(module, inputs)
    if isinstance(module, Residual):
        return _residual(module, inputs)
    if isinstance(module, nn.Conv2d):
        return _convolution(module, inputs)
    if isinstance(module, nn.BatchNorm2d):
        scale = norm_scale(module).view(1, -1, 1, 1)
        return module(inputs), lambda gradient: gradient * scale
    if isinstance(module, nn.ReLU):
        return functional.relu(inputs), lambda gradient: gradient * (inputs > 0).to(gradient.dtype)
    if isinstance(module, nn.Linear):
        return module(inputs), lambda gradient: gradient @ module.weight
    if isinstance(module, AtEachPlace):
        return _at_each_place(module, inputs)
    if isinstance(module, nn.MaxPool2d):
        return _max_pool(module, inputs)
    raise TypeError(f"there is no pullback of {type(module).__name__}")


def _chain(modules: nn.Sequential, inputs: Tensor) -> tuple[Tensor, Pullback]:
    pullbacks = []
    for module in modules:
        inputs, pullback = forward_with_pullback(module, inputs)
        pullbacks.append(pullback)

    def back(gradient: Tensor) -> Tensor:
        for pullback in reversed(pullbacks):
            gradient = pullback(gradient)
        return gradient

    return inputs, back


def _residual(block: Residual, inputs: Tensor) -> tuple[Tensor, Pullback]:
    inner, through = _chain(block.body, inputs)
    beside, past = _chain(block.shortcut, inputs)
    total = inner + beside

    def back(gradient: Tensor) -> Tensor:
        gradient = gradient * (total > 0).to(gradient.dtype)
        return through(gradient) + past(gradient)

    return functional.relu(total), back


def _convolution(module: nn.Conv2d, inputs: Tensor) -> tuple[Tensor, Pullback]:
    stride, padding, size = module.stride[0], int(module.padding[0]), module.kernel_size[0]
    lost = (inputs.shape[-1] + 2 * padding - size) % stride  # columns that the last window does not reach

    def back(gradient: Tensor) -> Tensor:
        return functional.conv_transpose2d(gradient, module.weight, None, stride, padding, lost)

    return module(inputs), back


def _at_each_place(module: AtEachPlace, flat: Tensor) -> tuple[Tensor, Pullback]:
    def back(gradient: Tensor) -> Tensor:
        channels = gradient.reshape(-1, module.layer.out_channels, module.grid, module.grid)
        return functional.conv_transpose2d(channels, module.layer.weight).flatten(1)

    return module(flat), back


def _max_pool(module: nn.MaxPool2d, inputs: Tensor) -> tuple[Tensor, Pullback]:
    """The gradient goes to the largest pixel of each window; inputs are not negative, as after a ReLU, and 0 has no gradient."""
    size, stride, padding = cast(tuple[int, int, int], (module.kernel_size, module.stride, module.padding))  # of squares
    pooled = module(inputs)
    lost = (inputs.shape[-1] + 2 * padding - size) % stride
    shifts = torch.eye(size * size).view(size * size, 1, size, size)
    planes = inputs.reshape(-1, 1, *inputs.shape[2:])
    seen = functional.conv2d(planes, shifts, None, stride, padding)
    largest = (seen == pooled.reshape(-1, 1, *pooled.shape[2:])).to(inputs.dtype)

    def back(gradient: Tensor) -> Tensor:
        spread = largest * gradient.reshape(-1, 1, *pooled.shape[2:])
        return functional.conv_transpose2d(spread, shifts, None, stride, padding, lost).reshape(-1, *inputs.shape[1:])

    return pooled, back
