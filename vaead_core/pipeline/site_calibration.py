"""A checkpoint calibrated on a few healthy scans of one scanner."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np
from threadpoolctl import threadpool_limits

from vaead_core import scorers
from vaead_core.checkpoints.calibration import RATES, Calibration, HealthyBrain, healthy_brain, summary, summary_of_all
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.checkpoints.search import opened
from vaead_core.checkpoints.site import LEAST, MOST, Site
from vaead_core.cohorts import Subject, open_cohort
from vaead_core.errors import CohortError, InputError
from vaead_core.pipeline.scoring import Scale, prepare
from vaead_core.scans.heads import with_brain
from vaead_core.scans.image_quality import of_scans
from vaead_core.scans.volume import Array, Slices

Tell = Callable[[str], None]
Brains = dict[str, tuple[HealthyBrain, HealthyBrain | None]]
"""Scorer → its values of one brain, as they are and on the brain's own scale; pixels as quantiles."""


def calibrate_site(folder: Path, healthy: str, name: str, jobs: int = 1, tell: Tell = print) -> Site:
    """The checkpoint of `folder` calibrated on the healthy scans of a cohort, as `open_cohort` takes it.

    name: of the site. jobs: processes. tell: is given a line for each scan that is done, and for each that is left out.
    Raises InputError when fewer than LEAST scans can be used.
    """
    checkpoint = opened(str(folder))
    if checkpoint.preprocessor is None:
        raise InputError(f"{checkpoint.name} is not a model of brain scans; choose one of the brain checkpoints.")
    subjects, repeated = _one_scan_each(open_cohort(healthy).subjects)
    if repeated:
        tell(f"Left out: {repeated} further scans of people who have one already.")
    if not LEAST <= len(subjects) <= MOST:
        raise CohortError(f"A site is calibrated on {LEAST} to {MOST} healthy people; {len(subjects)} were given.")
    calls = (joblib.delayed(_scored)(subject, str(folder)) for subject in subjects)
    found: dict[str, tuple[Brains, dict[str, float]]] = {}
    for done, (subject, one) in enumerate(zip(subjects, joblib.Parallel(jobs, return_as="generator")(calls), strict=True), 1):
        if isinstance(one, str):
            tell(f"Left out: {one}")
        elif one[0] in found:
            tell(f"Left out: {subject.id}, the same scan as another.")
        else:
            found[one[0]] = one[1:]
        tell(f"{done} of {len(subjects)} scans")
    if len(found) < LEAST:
        raise CohortError(f"Only {len(found)} of {len(subjects)} scans can be used, and a site needs {LEAST}; give others.")
    brains, quality = zip(*found.values(), strict=True)
    return site_of(name, checkpoint, list(brains), quality)


def _one_scan_each(subjects: tuple[Subject, ...]) -> tuple[list[Subject], int]:
    """The first scan of each participant, and how many others there are."""
    first: dict[str, Subject] = {}
    for subject in subjects:
        first.setdefault(subject.participant, subject)
    return list(first.values()), len(subjects) - len(first)


def _scored(subject: Subject, folder: str) -> tuple[str, Brains, dict[str, float]] | str:
    """A digest of the brain's pixels, what scorers make of it and its image quality, or why it cannot be used in a sentence."""
    with threadpool_limits(1):  # sums in one order on any number of cores
        try:
            prepared = prepare(with_brain(subject.read()), checkpoint := opened(folder))
        except InputError as error:
            return str(error)
        known = [name for name in scorers.scorers_of(checkpoint.model) if name in checkpoint.calibration]
        slices = prepared.slices
        digest = hashlib.blake2b(np.ascontiguousarray(slices.pixels[slices.mask]).tobytes()).hexdigest()
        return digest, healthy_values(checkpoint, slices, known), prepared.quality


def healthy_values(checkpoint: Checkpoint, slices: Slices, names: list[str]) -> Brains:
    """What scorers make of one healthy brain: the maps that `scoring.score` gives, on both scales."""
    found = {name: healthy_brain(checkpoint.model, name, slices, checkpoint.calibration) for name in names}
    return {name: (plain.in_quantiles, own.in_quantiles if own else None) for name, (plain, own) in found.items()}


def site_of(name: str, checkpoint: Checkpoint, brains: list[Brains], quality: Sequence[dict[str, float]] = ()) -> Site:
    """Thresholds and percentiles from `brains`, each with equal weight, and what each has above the thresholds of the others.

    quality: of each, where that is known.
    """
    calibration: Calibration = {}
    left_out: dict[tuple[str, str], Array] = {}
    for scorer in brains[0]:
        plain, own = zip(*(brain[scorer] for brain in brains), strict=True)
        calibration[scorer] = replace(summary(list(plain)), scaled=summary_of_all(list(own)))
        of_scales: dict[Scale, list[HealthyBrain]] = {"healthy": list(plain)}
        if calibration[scorer].scaled:
            of_scales["scan"] = list(own)
        if calibration[scorer].pixels.size:
            left_out |= {(scorer, scale): shares_left_out(one) for scale, one in of_scales.items()}
    return Site(name, checkpoint.digest, len(brains), calibration, left_out, of_scans(quality))


def shares_left_out(brains: list[HealthyBrain]) -> Array:
    """(RATES, brains): of each brain, the share above the threshold that each rate of the others' pixels exceeds."""
    shares = np.zeros((len(RATES), len(brains)), np.float32)
    for at, brain in enumerate(brains):
        own, others = summary([brain]), summary([one for other, one in enumerate(brains) if other != at])
        shares[:, at] = [own.rate(others.threshold(rate)) for rate in RATES]
    return shares
