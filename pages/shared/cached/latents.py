"""The latent space's cached functions."""

import numpy as np

from pages.shared.cached.scans import OpenScan
from pages.shared.server.cache import cached
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.pipeline import latent_space
from vaead_core.pipeline.latent_space import LatentSpace, Standardise
from vaead_core.scans.volume import Array


@cached
def space(checkpoint: Checkpoint, standardise: Standardise) -> LatentSpace:
    """The healthy latents of a checkpoint and their principal components."""
    return LatentSpace.of(checkpoint.latents, standardise)


@cached
def latents(scan: OpenScan) -> Array:
    """(M, L) of the scan's slices."""
    return scan.checkpoint.model.latents(scan.prepared.slices)


@cached
def healthy_scores(checkpoint: Checkpoint, name: str, standardise: Standardise) -> Array:
    """(N,) of the healthy slices, each by a detector that was fitted to other subjects."""
    return latent_space.healthy_outlier_scores(name, space(checkpoint, standardise), standardise)


@cached
def scores(scan: OpenScan, name: str, standardise: Standardise) -> Array:
    """(M,) of the scan's slices by one detector."""
    healthy, position = space(scan.checkpoint, standardise), scan.prepared.slices.position
    return latent_space.outlier_scores(name, healthy, standardise, latents(scan), position)


def decoded(checkpoint: Checkpoint, rows: Array) -> Array:
    """(S, H, W) pictures of latents (S, L)."""
    return checkpoint.model.vae.decode(np.asarray(rows, np.float32))


def outlines(checkpoint: Checkpoint, position: Array) -> Array:
    """(N, H, W) bool: where decoded pictures at atlas positions show brain; everywhere for patches."""
    size = checkpoint.model.vae.image_size
    if checkpoint.model.stride is not None or checkpoint.preprocessor is None:
        return np.ones((len(position), size, size), bool)
    found = checkpoint.preprocessor.slice_grid.atlas_mask(position)
    return found | ~found.any(axis=(1, 2), keepdims=True)
