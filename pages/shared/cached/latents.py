"""The latent space's cached functions."""

import numpy as np

from pages.shared.server.cache import cached
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.pipeline import latent_space
from vaead_core.pipeline.latent_space import LatentSpace, Standardise
from vaead_core.pipeline.scoring import PreparedScan
from vaead_core.scans.volume import Array


@cached
def space(checkpoint_digest: str, standardise: Standardise, _checkpoint: Checkpoint) -> LatentSpace:
    """The healthy latents of a checkpoint and their principal components."""
    return LatentSpace.of(_checkpoint.latents, standardise)


@cached
def latents(scan_key: str, checkpoint_digest: str, _prepared: PreparedScan, _checkpoint: Checkpoint) -> Array:
    """(M, L) of the scan's slices."""
    return _checkpoint.model.latents(_prepared.slices)


@cached
def healthy_scores(checkpoint_digest: str, name: str, standardise: Standardise, _space: LatentSpace) -> Array:
    """(N,) of the healthy slices, each by a detector that was fitted to other subjects."""
    return latent_space.healthy_outlier_scores(name, _space, standardise)


@cached
def scores(
    scan_key: str, checkpoint_digest: str, name: str, standardise: Standardise, _space: LatentSpace, _latents: Array,
    _position: Array,
) -> Array:  # fmt: skip
    """(M,) of the scan's slices by one detector."""
    return latent_space.outlier_scores(name, _space, standardise, _latents, _position)


def decoded(checkpoint: Checkpoint, rows: Array) -> Array:
    """(S, H, W) pictures of latents (S, L)."""
    return checkpoint.model.vae.decode(np.asarray(rows, np.float32))


def outlines(checkpoint: Checkpoint, position: Array) -> Array:
    """(N, H, W) bool: where decoded pictures at atlas positions show brain; everywhere for patches."""
    size = checkpoint.model.vae.image_size
    if checkpoint.model.stride is not None or checkpoint.preprocessor is None:
        return np.ones((len(position), size, size), bool)
    found = checkpoint.preprocessor.atlas_mask(position)
    return found | ~found.any(axis=(1, 2), keepdims=True)
