"""The simple VAE of the thesis's Fashion-MNIST experiment (section 2.1)."""

from torch import Tensor, nn
from torch.nn import functional

from models.vae import VAE

CHANNELS = (32, 64, 128, 256)
LOG_VARIANCE_BOUND = 10.0  # σ between 0.007 and 148: exp() and the KL stay finite, in bfloat16 and ONNX too


def bounded(log_variance: Tensor) -> Tensor:
    """log σ², clamped to ±LOG_VARIANCE_BOUND; beyond it the gradient is zero."""
    return log_variance.clamp(-LOG_VARIANCE_BOUND, LOG_VARIANCE_BOUND)


class SimpleVAE(VAE):
    """Four stride-2 convolutions, each + ReLU + batch norm; two linear heads; symmetric Bernoulli decoder."""

    def __init__(self, image_size: int = 32, latent_size: int = 16) -> None:
        super().__init__()
        if image_size % 16:
            raise ValueError(f"image_size must be a multiple of 16, got {image_size}")
        self.image_size, self.latent_size = image_size, latent_size
        self.grid = image_size // 16
        flat = CHANNELS[-1] * self.grid**2
        inputs = (1, *CHANNELS[:-1])
        self.stages = nn.ModuleList(_down(i, o) for i, o in zip(inputs, CHANNELS, strict=True))
        self.mean, self.log_variance = nn.Linear(flat, latent_size), nn.Linear(flat, latent_size)
        self.expand = nn.Linear(latent_size, flat)
        outputs = (*CHANNELS[-2::-1], CHANNELS[0])
        self.ups = nn.Sequential(*(_up(i, o) for i, o in zip(CHANNELS[::-1], outputs, strict=True)))
        self.to_logits = nn.Conv2d(CHANNELS[0], 1, 3, padding=1)

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        """(N, 1, H, W) in [-1, 1] → mean (N, L), log variance (N, L), the four stages' outputs."""
        stages = []
        for stage in self.stages:
            images = stage(images)
            stages.append(images)
        flat = images.flatten(1)
        return self.mean(flat), bounded(self.log_variance(flat)), stages

    def decode_logits(self, latents: Tensor) -> Tensor:
        """Bernoulli logits (N, 1, H, W); what the loss takes."""
        seed = functional.relu(self.expand(latents)).unflatten(1, (CHANNELS[-1], self.grid, self.grid))
        return self.to_logits(self.ups(seed))

    def decode(self, latents: Tensor) -> Tensor:
        """Images (N, 1, H, W) in [-1, 1]."""
        return 2 * self.decode_logits(latents).sigmoid() - 1

    def forward(self, images: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor, list[Tensor]]:
        """Logits (not images), mean, log variance, stages, for latents mean + noise · σ; noise (N, L)."""
        mean, log_variance, stages = self.encode(images)
        return self.decode_logits(mean + noise * (log_variance / 2).exp()), mean, log_variance, stages


def _down(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 4, 2, 1), nn.ReLU(), nn.BatchNorm2d(outputs))


def _up(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.ConvTranspose2d(inputs, outputs, 4, 2, 1), nn.ReLU(), nn.BatchNorm2d(outputs))
