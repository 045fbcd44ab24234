"""Loss terms, each a value per image (N,) unless said otherwise."""

import math

import torch
from torch import Tensor
from torch.nn import functional


def kl_to_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(q || N(0, I)) per image, (N,) nats. Kingma & Welling 2014, appendix B."""
    return -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum(1)


def distance_from_centre(mean: Tensor) -> Tensor:
    """‖μ‖², (N,): the one-class term of deep SVDD (Ruff et al. 2018) with its centre at the prior's mean."""
    return mean.square().sum(1)


def bernoulli_error(logits: Tensor, images: Tensor) -> Tensor:
    """Binary cross-entropy summed over an image's pixels, (N,) nats; images (N, 1, H, W) in [-1, 1]."""
    target = (images + 1) / 2
    return functional.binary_cross_entropy_with_logits(logits, target, reduction="none").flatten(1).sum(1)


def squared_error(reconstruction: Tensor, images: Tensor, weight: Tensor | None = None) -> Tensor:
    """Sum over pixels of (x̂ − x)², (N,); `weight` (N, 1, H, W) multiplies each pixel's term."""
    error = (reconstruction - images).square()
    return (error if weight is None else error * weight).flatten(1).sum(1)


def activation_map(stage: Tensor, size: int) -> Tensor:
    """(N, size, size): channel mean of an encoder stage, upsampled bilinearly with aligned corners.

    As the official code of Silva-Rodríguez et al. 2022, which calls it Grad-CAM: no gradient weights it.
    """
    mean = stage.mean(1, keepdim=True)
    return functional.interpolate(mean, size=(size, size), mode="bilinear", align_corners=True)[:, 0]


def attention_entropy(maps: Tensor, mask: Tensor, temperature: float = 1.0) -> Tensor:
    """H = −Σ p log p, (N,) nats, p = softmax of maps / temperature over the mask. maps, mask: (N, H, W).

    Silva-Rodríguez et al. 2022; its maximum is log(pixels in the mask). An empty mask gives 0.
    """
    logits = (maps / temperature).masked_fill(~mask, -torch.inf).flatten(1)
    empty = ~mask.flatten(1).any(1, keepdim=True)
    log_p = functional.log_softmax(logits.masked_fill(empty, 0.0), 1).masked_fill(~mask.flatten(1), 0.0)
    return -(log_p.exp() * log_p).sum(1)


def log_barrier(z: Tensor, sharpness: float) -> Tensor:
    """Extension of the log barrier of z ≤ 0, elementwise. Kervadec et al. 2019; `sharpness` is its t.

    Value and slope meet at the joint z = −1/t², so it is finite also where the constraint is violated.
    """
    joint = -1 / sharpness**2
    inside = -torch.log(-z.clamp(max=joint)) / sharpness
    outside = sharpness * z - math.log(1 / sharpness**2) / sharpness + 1 / sharpness
    return torch.where(z <= joint, inside, outside)


def size_constraint(maps: Tensor, mask: Tensor, proportion: float = 0.01, sharpness: float = 10.0) -> Tensor:
    """Log barrier of z = 1 − mean(sigmoid a) − p over the mask, (N,): attention should cover the whole brain.

    Silva-Rodríguez et al. 2022, whose code takes the mean over the whole image. maps, mask: (N, H, W).
    """
    pixels = mask.flatten(1).sum(1).clamp(min=1)
    covered = (maps.sigmoid() * mask).flatten(1).sum(1) / pixels
    return log_barrier(1 - covered - proportion, sharpness)
