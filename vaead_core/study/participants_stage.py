"""Every scan of a study, on one core, several, or a Dask cluster. Finished scans are kept, so that a killed run goes on."""

from __future__ import annotations

import sys
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from pathlib import Path

import joblib

from vaead_core.computing.dask_cluster import cluster
from vaead_core.errors import InputError, refusing
from vaead_core.study.dataset import Study
from vaead_core.study.description import describe
from vaead_core.study.work import ScanWork, Settings, scored

_ENDED = (
    "A process was ended from outside, most likely for lack of memory. Finished scans are kept: give the command again, with a "
    "smaller --n-procs."
)


def run(study: Study, out: Path, settings: Settings, processes: int = 1, dask: str | None = None) -> int:
    """How many scans have no maps, each of which is told on stderr. Raises InputError, and OSError where nothing can be written.

    dask: a scheduler's address instead of processes here.
    """
    if processes < 1:
        raise InputError(f"--n-procs takes a number from 1 on; found {processes}.")
    describe(out, study.folder)
    works = [ScanWork(scan, out.resolve(), settings) for scan in study.scans]
    with cluster(dask) if dask else nullcontext(), refusing(InputError(_ENDED), BrokenProcessPool):
        pool = joblib.Parallel(n_jobs=None if dask else processes, return_as="generator_unordered")
        kept, failed = 0, 0
        for done, one in enumerate(pool(joblib.delayed(scored)(work) for work in works), 1):
            kept, failed = kept + one.kept, failed + (one.sentence is not None)
            print(f"{done} of {len(works)} scans: {one.name}{' (kept)' if one.kept else ''}", flush=True)
            if one.sentence is not None:
                print(f"{one.name}: {one.sentence}", file=sys.stderr, flush=True)
    print(f"{len(works) - failed} of {len(works)} scans have maps, {kept} were finished before; {failed} have none.")
    return failed
