"""What every network has that is trained and exported here."""

from __future__ import annotations

from torch import Tensor, nn


class VAE(nn.Module):
    """stages: the encoder's parts, behind its stem where it has one. mean, log_variance: from their flattened output."""

    image_size: int
    latent_size: int
    stages: nn.ModuleList
    mean: nn.Module
    log_variance: nn.Module

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        """(N, 1, H, W) in [-1, 1] → mean, log variance (N, L), the four stages' outputs."""
        raise NotImplementedError

    def decode(self, latents: Tensor) -> Tensor:
        """Images (N, 1, H, W) of latents (N, L)."""
        raise NotImplementedError

    def forward(self, images: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor, list[Tensor]]:
        """What the loss takes, mean, log variance, stages, for latents mean + noise · σ; noise (N, L)."""
        raise NotImplementedError
