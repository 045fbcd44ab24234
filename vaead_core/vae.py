"""The inference protocol on ONNX Runtime: two graphs, deterministic, no torch."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
import onnxruntime

from vaead_core.volume import Array

STAGES = ("stage1", "stage2", "stage3", "stage4")
_BATCH = 8  # fits the processor's caches; larger batches are no faster


@dataclass(frozen=True)
class Posterior:
    """mean, log_variance: (N, L) float32 of q(z | x)."""

    mean: Array
    log_variance: Array


class OnnxVAE:
    """encoder: images → mean, log_variance, stage1..stage4. decoder: latents → images. Both as serialised ONNX."""

    def __init__(self, encoder: bytes, decoder: bytes, threads: int | None = None) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or int(os.environ.get("OMP_NUM_THREADS", 0)) or len(os.sched_getaffinity(0))
        options.log_severity_level = 3
        providers = ["CPUExecutionProvider"]
        self._encoder = onnxruntime.InferenceSession(encoder, options, providers)
        self._decoder = onnxruntime.InferenceSession(decoder, options, providers)
        shape = self._encoder.get_inputs()[0].shape
        self.image_size, self.latent_size = int(shape[-1]), int(self._decoder.get_inputs()[0].shape[-1])

    def encode(self, images: Array) -> tuple[Posterior, dict[str, Array]]:
        """Posterior of images (N, H, W) in [-1, 1], and the channel mean of every stage's output, (N, h, w) float32."""
        means, log_variances = [], []
        stages: dict[str, list[Array]] = {name: [] for name in STAGES}
        for start in range(0, len(images), _BATCH):
            batch = np.ascontiguousarray(images[start : start + _BATCH, None], np.float32)
            mean, log_variance, *features = self._encoder.run(["mean", "log_variance", *STAGES], {"images": batch})
            means.append(mean)
            log_variances.append(log_variance)
            for name, feature in zip(STAGES, features, strict=True):
                stages[name].append(feature.mean(1))
        posterior = Posterior(np.concatenate(means), np.concatenate(log_variances))
        return posterior, {name: np.concatenate(parts) for name, parts in stages.items()}

    def decode(self, latents: Array) -> Array:
        """(N, H, W) float32 images of latents (N, L)."""
        parts = [
            self._decoder.run(["images"], {"latents": np.ascontiguousarray(latents[start : start + _BATCH], np.float32)})[0]
            for start in range(0, len(latents), _BATCH)
        ]
        return np.concatenate(parts)[:, 0]
