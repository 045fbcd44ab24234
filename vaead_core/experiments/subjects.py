"""The subjects of a checkpoint's own split, prepared as the checkpoint says; a few are remembered in each process."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from vaead_core.checkpoints.calibration import FOLDS, healthy_reference
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.checkpoints.search import opened
from vaead_core.cohorts import SAMPLES, open_cohort
from vaead_core.cohorts.locations import find_data
from vaead_core.errors import CohortError, InputError
from vaead_core.measures.folds import leave_out
from vaead_core.scans.heads import with_brain
from vaead_core.scans.preprocessing import Preprocessor
from vaead_core.scans.volume import Brain, Slices, Volume


def judging(folder: str, source: str, subject: str) -> Checkpoint:
    """The checkpoint that `subject` is measured by: that of a folder, but for its validation subjects.

    What the network makes of these is its healthy reference, in which a brain that is measured would find itself. Such a
    subject is therefore measured against the others', in the folds of calibration.
    """
    held_out = chosen_subjects(opened(folder), "validation")
    for inside, outside in leave_out(np.arange(len(held_out)), FOLDS):
        if subject in np.array(held_out)[inside]:
            return _against(folder, source, tuple(name for name, other in zip(held_out, outside, strict=True) if other))
    return opened(folder)


@lru_cache(maxsize=2)
def _against(folder: str, source: str, people: tuple[str, ...]) -> Checkpoint:
    checkpoint, model = opened(folder), opened(folder).model
    slices = Slices.concatenate([prepared(source, name, folder) for name in people])
    reference = healthy_reference(model, model.reference, slices, _preprocessor(folder).slice_grid.depth)
    return replace(checkpoint, model=model.with_reference(reference, model.healthy))


@lru_cache(maxsize=8)
def prepared(source: str, subject: str, folder: str) -> Slices:
    """The slices of one subject of a cohort, by the preprocessor of the checkpoint in `folder`."""
    return _preprocessor(folder).to_slices(prepared_brain(source, subject, folder))


@lru_cache(maxsize=4)
def prepared_brain(source: str, subject: str, folder: str) -> Brain:
    """One subject of a cohort on the atlas grid of the checkpoint in `folder`."""
    return _preprocessor(folder).to_brain(scan_of(source, subject, folder))


def scan_of(source: str, subject: str, folder: str) -> Volume:
    """The scan of one subject of a cohort, its brain known. Raises CohortError where it is not, with the checkpoint's name."""
    scan = next((one for one in open_cohort(source).subjects if one.id == subject), None)
    if scan is None:
        raise CohortError(f"{subject}, a subject of {Path(folder).name}, is not among the scans of {Path(source).name}.")
    return with_brain(scan.read())


def _preprocessor(folder: str) -> Preprocessor:
    preprocessor = opened(folder).preprocessor
    if preprocessor is None:
        raise InputError(f"{Path(folder).name} is not a model of brain scans; choose one of the brain checkpoints.")
    return preprocessor


def source_of(checkpoint: Checkpoint, data: str | None) -> str:
    """`data`, or where the checkpoint's own cohort is found. Raises InputError when it is to be given."""
    if data is not None:
        return data
    name = checkpoint.provenance.training.data or "synthetic"
    if name.startswith("synthetic"):
        return name
    found = find_data(name)
    if found is None:
        raise InputError(
            f"{checkpoint.name} was trained on {name}, which is not found here; measure a checkpoint whose scans are.",
            "the same with --data FOLDER",
        )
    return str(found)


def measured(checkpoint: Checkpoint, data: str | None, which: str, most: int | None = None) -> tuple[str, tuple[str, ...]]:
    """Where the scans lie, and the ids of the first `most` of the checkpoint's `test` or `validation` subjects.

    data: as of `source_of`. Of "samples", those subjects that vaead carries. Raises InputError where it carries none.
    """
    source, people = source_of(checkpoint, data), chosen_subjects(checkpoint, which)
    if source == SAMPLES:
        carried = {subject.id for subject in open_cohort(SAMPLES).subjects}
        people = tuple(name for name in people if name in carried)
        if not people:
            raise InputError(f"None of the {which} subjects of {checkpoint.name} is among the samples; give its cohort.")
    return source, people[:most]


def chosen_subjects(checkpoint: Checkpoint, which: str) -> tuple[str, ...]:
    """The ids of the checkpoint's `test` or `validation` subjects."""
    return checkpoint.provenance.source.subjects[which]
