"""Whether the parts of a checkpoint belong together: network, arrays, settings and what the description says of data."""

from __future__ import annotations

import re

import numpy as np

from vaead_core.checkpoints.calibration import ScorerCalibration
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.inference.vae import STAGES
from vaead_core.scans.volume import Array, Slices
from vaead_core.scorers import SCORERS, build_map, map_scorers, scorers_of

WINDOWS_ACROSS = 4  # that cover a pixel in each direction; two where vaead trains, and a pixel's step would take gigabytes
SOURCE = re.compile(r"(?!\.)[A-Za-z0-9 _.-]{1,80}|synthetic:[0-9]{1,4}")  # a cohort by its name, never a path


def is_consistent(checkpoint: Checkpoint) -> bool:
    """One blank image goes through the network. Raises whatever a foreign network or setting makes its library raise."""
    side, stride = checkpoint.model.vae.image_size, checkpoint.model.stride
    return (
        8 <= side <= 512
        and (stride is None or side / WINDOWS_ACROSS <= stride)
        and 1 <= checkpoint.model.vae.latent_size <= 4096
        and _names_its_cohort(checkpoint)
        and _network_agrees(checkpoint)
        and _healthy_agree(checkpoint)
        and _scorers_run(checkpoint)
    )


def _names_its_cohort(checkpoint: Checkpoint) -> bool:
    """Its cohort has a name."""
    cohort = checkpoint.provenance.training.data
    return cohort is None or SOURCE.fullmatch(cohort) is not None


def _network_agrees(checkpoint: Checkpoint) -> bool:
    vae = checkpoint.model.vae
    posterior, stages = vae.encode(np.zeros((1, vae.image_size, vae.image_size), np.float32))
    drawn = vae.decode(posterior.mean)
    return (
        posterior.mean.shape == posterior.log_variance.shape == (1, vae.latent_size)
        and drawn.shape == (1, vae.image_size, vae.image_size)
        and all(stages[name].ndim == 3 for name in STAGES)
        and bool(np.isfinite(posterior.mean).all() and np.isfinite(drawn).all())
    )


def _healthy_agree(checkpoint: Checkpoint) -> bool:
    """Reference, calibration and latents: shapes that agree, numbers that are finite."""
    side, depth = _side(checkpoint), 1 if checkpoint.preprocessor is None else checkpoint.preprocessor.slice_grid.depth
    places, latents = checkpoint.model.reference.places, checkpoint.latents
    return (
        {"intensity", "residual"} <= places.keys()
        and all(one.covers(depth, side) for one in places.values())
        and all(_finite(one.mean) and _finite(one.deviation) and one.deviation.min() > 0 for one in places.values())
        and all(is_calibrated(name, one) for name, one in checkpoint.calibration.items())
        and latents.mean.ndim == 2
        and latents.mean.shape[1] == checkpoint.model.vae.latent_size
        and latents.position.shape == latents.subject.shape == latents.mean.shape[:1]
        and latents.position.dtype.kind in "iu"
        and latents.subject.dtype.kind in "iu"
        and _finite(latents.mean)
        and bool((latents.position >= 0).all() and (latents.position < depth).all() and (latents.subject >= 0).all())
    )


def _scorers_run(checkpoint: Checkpoint) -> bool:
    """A blank slice through each scorer that has a network or a memory of its own."""
    side = _side(checkpoint)
    blank = Slices(np.zeros((1, side, side), np.float32), np.ones((1, side, side), bool), np.zeros(1, int))
    own = [name for name, kind in scorers_of(checkpoint.model).items() if kind.needs.companion or kind.needs.memory]
    maps = [build_map(name).score_map(checkpoint.model, blank) for name in own if name in checkpoint.calibration]
    return all(one.shape == blank.pixels.shape and _finite(one) for one in maps)


def is_calibrated(name: str, found: ScorerCalibration) -> bool:
    """Whether the healthy values of a scorer are such: finite, of every kind, with pixels where it makes maps."""
    if found.scaled and not is_calibrated(name, found.scaled):
        return False
    values = [*found.images.values(), *found.scans.values()]
    of_maps = name in SCORERS and name in map_scorers()
    return (
        all(one.ndim == 1 and len(one) and _finite(one) for one in values)
        and found.pixels.ndim == 1
        and _finite(found.pixels)
        and (len(found.pixels) > 0 or not of_maps)
    )


def _side(checkpoint: Checkpoint) -> int:
    preprocessor = checkpoint.preprocessor
    return checkpoint.model.vae.image_size if preprocessor is None else preprocessor.slice_grid.image_size


def _finite(values: Array) -> bool:
    return values.dtype.kind == "f" and bool(np.isfinite(values).all())
