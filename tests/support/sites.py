"""Brains as another scanner shows them, and a checkpoint calibrated on them."""

from dataclasses import replace

import numpy as np

from training.data import TrainingData
from vaead_core import scorers
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.checkpoints.site import Site
from vaead_core.cohorts.synthetic import synthetic_cohort
from vaead_core.pipeline.site_calibration import healthy_values, site_of
from vaead_core.scans.volume import Slices, Volume


def healthy_scans() -> list[Volume]:
    """Three of the brains that `tiny` trains on: their place in the atlas is known."""
    return [one.read() for one in synthetic_cohort(4).subjects[:3]]


def foreign_brains(cohort: TrainingData) -> list[Slices]:
    """Three brains of a cohort with more contrast, the first with half of its slices."""
    parts = [(one.slices, one.subject) for one in (cohort.train, cohort.validation, cohort.test)]
    found = [slices[subject == person] for slices, subject in parts for person in np.unique(subject)][:3]
    found[0] = found[0][np.arange(len(found[0])) % 2 == 0]
    return [replace(one, pixels=np.where(one.mask, np.clip(1.5 * one.pixels, -1, 1), one.pixels)) for one in found]


def calibrated(checkpoint: Checkpoint, brains: list[Slices], name: str = "ours") -> Site:
    """The site of such brains."""
    known = [name for name in scorers.scorers_of(checkpoint.model) if name in checkpoint.calibration]
    return site_of(name, checkpoint, [healthy_values(checkpoint, one, known) for one in brains])
