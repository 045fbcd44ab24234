"""The inference protocol on ONNX Runtime: two graphs, deterministic, no torch."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime

from vaead_core.volume import Array

GRAPHS = ("encoder.onnx", "decoder.onnx")
STAGES = ("stage1", "stage2", "stage3", "stage4")
_BATCH = 8  # larger batches are no faster


@dataclass(frozen=True)
class Posterior:
    """mean, log_variance: (N, L) float32 of q(z | x)."""

    mean: Array
    log_variance: Array


class OnnxVAE:
    """encoder: images → mean, log_variance, stage1..stage4. decoder: latents → images. Both as serialised ONNX.

    Batches are spread over `threads` (default: OMP_NUM_THREADS, else this process's cores), each computed by one:
    faster than several threads inside each layer, and the values do not depend on their number.
    """

    def __init__(self, encoder: bytes, decoder: bytes, threads: int | None = None) -> None:
        self._threads = threads or int(os.environ.get("OMP_NUM_THREADS", 0)) or len(os.sched_getaffinity(0))
        self._pool = ThreadPoolExecutor(self._threads)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        providers = ["CPUExecutionProvider"]
        self._encoder = onnxruntime.InferenceSession(encoder, options, providers)
        self._decoder = onnxruntime.InferenceSession(decoder, options, providers)
        shape = self._encoder.get_inputs()[0].shape
        self.image_size, self.latent_size = int(shape[-1]), int(self._decoder.get_inputs()[0].shape[-1])

    @staticmethod
    def read(folder: Path) -> OnnxVAE:
        """The network of a folder's two GRAPHS."""
        encoder, decoder = ((folder / name).read_bytes() for name in GRAPHS)
        return OnnxVAE(encoder, decoder)

    def encode(self, images: Array, stages: tuple[str, ...] = STAGES) -> tuple[Posterior, dict[str, Array]]:
        """Posterior of images (N, H, W) in [-1, 1], and the channel mean of the output of `stages`, (N, h, w) float32."""

        def run(batch: Array) -> list[Array]:
            mean, log_variance, *features = self._encoder.run(["mean", "log_variance", *stages], {"images": batch})
            return [mean, log_variance, *(feature.mean(1) for feature in features)]

        mean, log_variance, *means = self._batched(run, images[:, None])
        return Posterior(mean, log_variance), dict(zip(stages, means, strict=True))

    def features(self, images: Array, stages: tuple[str, ...] = STAGES) -> dict[str, Array]:
        """The whole output of `stages` for images (N, H, W) in [-1, 1]: name → (N, C, h, w) float32."""
        found = self._batched(lambda batch: self._encoder.run(list(stages), {"images": batch}), images[:, None])
        return dict(zip(stages, found, strict=True))

    def decode(self, latents: Array) -> Array:
        """(N, H, W) float32 images of latents (N, L)."""
        return self._batched(lambda batch: self._decoder.run(["images"], {"latents": batch}), latents)[0][:, 0]

    def _batched(self, run: Callable[[Array], list[Array]], inputs: Array) -> list[Array]:
        """The outputs of `run` for all inputs, batch by batch, each output concatenated."""
        size = min(_BATCH, max(1, -(-len(inputs) // self._threads)))
        batches = [np.ascontiguousarray(inputs[start : start + size], np.float32) for start in range(0, len(inputs), size)]
        parts = list(self._pool.map(run, batches))
        return [np.concatenate(part) for part in zip(*parts, strict=True)]
