"""One scan through one checkpoint: the call behind the page and the command line."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np

from vaead_core import scorers
from vaead_core.checkpoints.calibration import RATES, ScorerCalibration, bulk_of, healthy_in_scan, percentile
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.checkpoints.site import Site
from vaead_core.errors import CheckpointError
from vaead_core.measures.aggregates import DEFAULT, aggregate
from vaead_core.scans.image_quality import image_quality
from vaead_core.scans.volume import Array, Brain, Slices, Volume

Scale = Literal["scan", "healthy"]
SCALES: dict[Scale, str] = {"scan": "this scan's scale", "healthy": "healthy brains' scale"}  # on screen


@dataclass(frozen=True)
class PreparedScan:
    """A scan on the checkpoint's atlas grid."""

    brain: Brain
    slices: Slices

    @cached_property
    def quality(self) -> dict[str, float]:
        """What sets it apart from other scans, by `image_quality`."""
        return image_quality(self.brain)


@dataclass(frozen=True)
class Scored:
    """One scorer on one scan. maps: (N, H, W) float32, None for an image scorer.

    images: aggregate → (N,) a slice; scan: aggregate → mean over slices; percentiles among healthy ones.
    healthy: what it is compared with: quantiles of pixels in the map's unit, aggregates on the scale.
    members: `model.healthy` as its maps were made with.
    scale: whether the comparison is on this scan's own scale or on the healthy brains'.
    site: whose healthy scans it is compared with; None for those of the checkpoint.
    """

    name: str
    maps: Array | None
    images: dict[str, Array]
    image_percentiles: dict[str, Array]
    scan: dict[str, float]
    scan_percentiles: dict[str, float]
    healthy: ScorerCalibration
    members: dict[str, Array]
    scale: Scale
    site: Site | None = None

    @property
    def compared_with(self) -> str:
        """What thresholds and percentiles count from, on screen."""
        if self.site is None:
            return SCALES[self.scale]
        scans = f"{self.site.scans} healthy scans of {self.site.name}"
        return scans if self.scale == "healthy" else f"{scans}, on {SCALES['scan']}"

    @property
    def thresholds(self) -> dict[float, float]:
        """Of a map: share of healthy brain voxels → the value that they exceed."""
        return {} if self.maps is None else {rate: self.healthy.threshold(rate) for rate in RATES}

    @property
    def map_values(self) -> Array:
        """Its maps. Raises ValueError for an image scorer, which has none."""
        if self.maps is None:
            raise ValueError(f"{self.name} scores images and has no maps")
        return self.maps

    @property
    def abnormality(self) -> Array:
        """Its maps where higher is more abnormal, which thresholds apply to. Raises ValueError as `map_values` does."""
        return scorers.abnormality(self.name, self.map_values)


def prepare(scan: Volume, checkpoint: Checkpoint) -> PreparedScan:
    """Registers and preprocesses `scan` as the checkpoint says. Raises ScanError or CheckpointError."""
    if checkpoint.preprocessor is None:
        raise CheckpointError(f"{checkpoint.name} is not a model of brain scans; choose one of the brain checkpoints.")
    brain = checkpoint.preprocessor.to_brain(scan)
    return PreparedScan(brain, checkpoint.preprocessor.to_slices(brain))


def score(prepared: PreparedScan, checkpoint: Checkpoint, name: str, scale: Scale = "scan", site: Site | None = None) -> Scored:
    """One scorer's maps and values, beside what healthy validation brains score, or those of a site; the maps are the same.

    scale: `scan` compares with what healthy brains show against the bulk of their own map, which another scanner moves but a
    lesion hardly does; `healthy` with their values as they are. A scorer without a scale of its own has the second always.
    """
    scorer, slices = scorers.build(name), prepared.slices
    healthy, members = healthy_values_of(checkpoint, name), checkpoint.model.healthy
    if site:
        healthy = site.calibration[name]
    if isinstance(scorer, scorers.MapScorer):
        own = scale == "scan" and healthy.scaled is not None
        if own:
            members = healthy_in_scan(checkpoint.model, checkpoint.calibration, name, slices)
        maps = scorer.score_map(checkpoint.model.with_healthy(members), slices)
        values = scorers.abnormality(name, maps)
        images = ranked = aggregate(values, slices.mask)
        bulk, scale = bulk_of(name, values[slices.mask]) if own else None, "healthy"
        if bulk and healthy.scaled:
            healthy, scale = replace(healthy.scaled, pixels=bulk.own(healthy.scaled.pixels)), "scan"
            ranked = aggregate(bulk.scaled(values), slices.mask)
    else:
        maps, scale = None, "healthy"
        images = ranked = {DEFAULT: scorer.score(checkpoint.model, slices)}
    if not all(np.isfinite(values).all() for values in images.values()):
        raise CheckpointError(f"{checkpoint.name} gives scores that are not finite by {name}; choose another checkpoint.")
    return Scored(
        name, maps, images,
        {kind: np.array([percentile(v, healthy.images[kind]) for v in values]) for kind, values in ranked.items()},
        {kind: float(values.mean()) for kind, values in images.items()},
        {kind: percentile(float(values.mean()), healthy.scans[kind]) for kind, values in ranked.items()},
        healthy, members, scale, site,
    )  # fmt: skip


def healthy_values_of(checkpoint: Checkpoint, name: str) -> ScorerCalibration:
    """What a checkpoint's healthy brains score by a scorer. Raises InputError where it does not have that."""
    scorers.build(name)
    healthy = checkpoint.calibration.get(name)
    if healthy is None:
        raise _not_calibrated(checkpoint, name)
    return healthy


def _not_calibrated(checkpoint: Checkpoint, name: str) -> CheckpointError:
    """Why a scorer cannot be used, and what to do."""
    lacking, here = scorers.lacks(checkpoint.model, scorers.SCORERS[name]), checkpoint.name
    if lacking == "patches":
        return CheckpointError(f"{name} is made for models of patches, and {here} takes whole slices; choose another scorer.")
    if lacking == "whole slices":
        return CheckpointError(f"{name} is made for models of whole slices, and {here} takes patches; choose another scorer.")
    if lacking == "a gradient":
        said = f"{name} needs a gradient that {here} was exported without; choose another scorer."
        return CheckpointError(said, f"python -m training.publish {here}")
    if lacking == "a memory" and scorers.SCORERS[name].needs.keeps_scans:
        said = f"{name} needs the training scans, which {here} does not hold; choose another scorer."
        return CheckpointError(
            said, f"python -m training.publish {here} --with-scans (and give it to nobody who may not have the scans)"
        )
    if lacking and lacking != "a memory":
        said = f"{name} needs {lacking}, which {here} does not hold; choose another scorer."
        return CheckpointError(said, f"python -m training.companions {here}")
    said = f"{here} was written before the scorer {name} existed, and is not calibrated for it; choose another scorer."
    return CheckpointError(said, f"python -m training.publish {here}")


def native_map(prepared: PreparedScan, checkpoint: Checkpoint, maps: Array) -> Array:
    """`maps` on the scan's own RAS+ grid, (I, J, K) float32."""
    if checkpoint.preprocessor is None:
        raise ValueError("only maps of scans have a native grid")
    return checkpoint.preprocessor.to_scan(maps, prepared.slices, prepared.brain)


def reconstruction(prepared: PreparedScan, checkpoint: Checkpoint) -> Array:
    """What the network redraws, on the scan's own RAS+ grid and in its own intensities, (I, J, K) float32."""
    if checkpoint.preprocessor is None:
        raise ValueError("only reconstructions of scans have a native grid")
    images = checkpoint.model.map(prepared.slices, lambda view: view.reconstruction)
    return checkpoint.preprocessor.to_intensity(images, prepared.slices, prepared.brain).astype(np.float32)
