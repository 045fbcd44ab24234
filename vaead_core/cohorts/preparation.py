"""Subjects on the atlas grid: one after the other, on several processes, or on a Dask cluster, the same to the last byte."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import joblib
from threadpoolctl import threadpool_limits

from vaead_core.cohorts import Subject
from vaead_core.computing.dask_cluster import cluster
from vaead_core.errors import ScanError
from vaead_core.scans.heads import with_brain
from vaead_core.scans.image_quality import image_quality
from vaead_core.scans.preprocessing import Preprocessor
from vaead_core.scans.volume import Slices


@dataclass(frozen=True)
class Ready:
    """slices: of a subject on the atlas grid. extracted: whether its brain was extracted, as of a whole head. quality: of it."""

    slices: Slices
    extracted: bool
    quality: dict[str, float]


def prepare(
    subjects: Sequence[Subject], preprocessor: Preprocessor, jobs: int = 1, dask: str | None = None
) -> Iterator[tuple[Subject, Ready | str]]:
    """Each subject, in order, ready, or with the sentence that says why its scan cannot be used.

    jobs: processes here. dask: a scheduler's address instead, whose workers see the same files; `cluster` says what it raises.
    """
    with cluster(dask) if dask else nullcontext():
        calls = (joblib.delayed(_prepared)(subject, preprocessor) for subject in subjects)
        ready = joblib.Parallel(n_jobs=None if dask else jobs, return_as="generator")(calls)
        yield from zip(subjects, ready, strict=True)


def _prepared(subject: Subject, preprocessor: Preprocessor) -> Ready | str:
    with threadpool_limits(1):  # sums in one order on any number of cores
        try:
            scan = with_brain(subject.read())
            brain = preprocessor.to_brain(scan)
            return Ready(preprocessor.to_slices(brain), scan.brain_by == "networks", image_quality(brain))
        except ScanError as error:
            return str(error)
