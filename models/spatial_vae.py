"""A VAE whose latent keeps the image's two dimensions (as in Baur et al. 2021, the spatial bottleneck)."""

from typing import Literal

from torch import Tensor, nn

from models.constrained_vae import ConstrainedVAE


class SpatialVAE(ConstrainedVAE):
    """The constrained VAE with convolutions of one pixel in place of the dense layers about the latent.

    latent_size: channels times the squared side of the encoder's last stage, 6 × 6 at 96 × 96 with the uas stem.
    """

    def __init__(
        self, image_size: int = 96, latent_size: int = 576, width: int = 64, stem: Literal["resnet", "uas"] = "uas"
    ) -> None:
        super().__init__(image_size, 1, width, stem)
        channels, rest = divmod(latent_size, self.grid**2)
        if rest or not channels:
            raise ValueError(f"latent_size must be a multiple of {self.grid**2}, the places of the last stage, got {latent_size}")
        self.latent_size = latent_size
        last = 8 * width  # channels of the encoder's last stage
        self.mean, self.log_variance = (AtEachPlace(last, channels, self.grid) for _ in range(2))
        self.expand = AtEachPlace(channels, self.seed_channels, self.grid)


class AtEachPlace(nn.Module):
    """A linear layer over channels at each place: (N, inputs · grid²) → (N, outputs · grid²)."""

    def __init__(self, inputs: int, outputs: int, grid: int) -> None:
        super().__init__()
        self.inputs, self.grid = inputs, grid
        self.layer = nn.Conv2d(inputs, outputs, 1)

    def forward(self, flat: Tensor) -> Tensor:
        return self.layer(flat.reshape(-1, self.inputs, self.grid, self.grid)).flatten(1)
