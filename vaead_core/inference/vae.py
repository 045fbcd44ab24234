"""The inference protocol of a VAE: two graphs, deterministic, no torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vaead_core.computing.onnx_graph import OnnxGraph, Opener
from vaead_core.scans.volume import Array

GRAPHS = ("encoder.onnx", "decoder.onnx")
STAGES = ("stage1", "stage2", "stage3", "stage4")
GRADIENT = "kl_gradient"
# Networks that a checkpoint may hold beside its VAE, each as NAME.onnx: planes → map.
COMPANIONS = ("segmenter", "denoiser", "restorer", "feature_autoencoder")


@dataclass(frozen=True)
class Posterior:
    """mean, log_variance: (N, L) float32 of q(z | x)."""

    mean: Array
    log_variance: Array


class OnnxVAE:
    """Two serialised ONNX graphs.

    encoder: images → mean, log_variance, stage1..stage4, and kl_gradient where it was exported with one.
    decoder: latents → images. open_graph: where they run, in this process or in one of their own.
    """

    def __init__(self, encoder: bytes, decoder: bytes, open_graph: Opener = OnnxGraph) -> None:
        self._encoder, self._decoder = open_graph(encoder), open_graph(decoder)
        self.image_size, self.latent_size = int(self._encoder.input_shape[-1]), int(self._decoder.input_shape[-1])

    @property
    def nbytes(self) -> int:
        """Of both graphs."""
        return self._encoder.nbytes + self._decoder.nbytes

    @staticmethod
    def read(folder: Path, open_graph: Opener = OnnxGraph) -> OnnxVAE:
        """The network of a folder's two GRAPHS."""
        encoder, decoder = ((folder / name).read_bytes() for name in GRAPHS)
        return OnnxVAE(encoder, decoder, open_graph)

    def encode(self, images: Array, stages: tuple[str, ...] = STAGES) -> tuple[Posterior, dict[str, Array]]:
        """Posterior of images (N, H, W) in [-1, 1], and the channel mean of the output of `stages`, (N, h, w) float32."""
        mean, log_variance, *means = self._encoder.run(images[:, None], ("mean", "log_variance", *stages), stages)
        return Posterior(mean, log_variance), dict(zip(stages, means, strict=True))

    def features(self, images: Array, stages: tuple[str, ...] = STAGES) -> dict[str, Array]:
        """The whole output of `stages` for images (N, H, W) in [-1, 1]: name → (N, C, h, w) float32."""
        return dict(zip(stages, self._encoder.run(images[:, None], stages), strict=True))

    @property
    def has_gradient(self) -> bool:
        """Whether `kl_gradient` can be asked for."""
        return GRADIENT in self._encoder.outputs

    def kl_gradient(self, images: Array) -> Array:
        """∂KL(q(z | x) ‖ N(0, I)) / ∂x for images (N, H, W) in [-1, 1], (N, H, W) float32."""
        return self._encoder.run(images[:, None], (GRADIENT,))[0][:, 0]

    def decode(self, latents: Array) -> Array:
        """(N, H, W) float32 images of latents (N, L)."""
        return self._decoder.run(latents, ("images",))[0][:, 0]
