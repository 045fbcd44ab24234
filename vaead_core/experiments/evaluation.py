"""`python -m vaead_core evaluate EXPERIMENT`: measures an experiment and records its table."""

from __future__ import annotations

import argparse
import platform
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from vaead_core import __version__
from vaead_core.checkpoints.search import opened
from vaead_core.computing.code import code_digest
from vaead_core.computing.onnx_graph import on_device
from vaead_core.errors import InputError, exit_status
from vaead_core.experiments import records
from vaead_core.experiments.catalogue import EXPERIMENTS, parts_of
from vaead_core.experiments.request import Request
from vaead_core.experiments.runner import Runner

VALIDATION = "validation"


def evaluate(options: argparse.Namespace) -> int:
    """Exit status: 0, or 2 with one sentence on stderr."""
    return exit_status(lambda: _on_device(options), options.out, "finished parts are kept")


def _on_device(options: argparse.Namespace) -> None:
    if options.device == "cuda" and options.dask:
        raise InputError("Dask's workers compute on their processors.", "the same without --device cuda")
    with on_device(options.device):
        _record(options)


def _record(options: argparse.Namespace) -> None:
    request = Request(
        tuple(options.checkpoint), options.data, options.subjects, options.seed,
        tuple(options.toys), tuple(options.scores), options.most_subjects,
    )  # fmt: skip
    name = options.experiment + (f"-{VALIDATION}" if options.subjects == VALIDATION else "")
    if options.add:
        _check_added(options, name)
    folders, parts = parts_of(options.experiment, request)
    digests = {str(folder): opened(str(folder)).digest for folder in folders}
    start = time.monotonic()
    runner = Runner(options.out / records.PARTS, options.jobs, options.dask)
    experiment = EXPERIMENTS[options.experiment]
    where = "" if options.device == "cpu" else f" {options.device}"  # a part that the processor measured is not a card's
    measurements = runner.run(parts, lambda part: digests[part.checkpoint] + where, experiment.row)
    rows = experiment.table(options.experiment, measurements)
    about = _about(options, digests, len(parts), time.monotonic() - start)
    with records.writing(options.out, name):
        if options.add:
            rows, about = records.added(options.out, name, rows, about)
        path = records.write(options.out, name, rows, about)
        if experiment.beside:
            experiment.beside(str(folders[0]), options.out)
    print(f"{path}: {len(rows)} rows from {len(measurements)} measurements")


def _check_added(options: argparse.Namespace, name: str) -> None:
    """Raises InputError unless what is measured can stand among the recorded rows."""
    if not options.scores:
        raise InputError("--add needs --scores, the names of what is added.")
    if options.most_subjects is not None:
        raise InputError("What is added is measured on all subjects, like the rest; leave --most-subjects away.")
    if (experiment := EXPERIMENTS.get(options.experiment)) and experiment.table is not records.table:
        raise InputError(f"{options.experiment} is measured as a whole; leave --add away.")
    records.to_add_to(options.out, name)


def _about(options: argparse.Namespace, digests: dict[str, str], parts: int, seconds: float) -> dict[str, Any]:
    packages = ("numpy", "scipy", "scikit-learn", "pyod", "onnxruntime", "SimpleITK")
    folders = [path.name if path.is_absolute() else path.as_posix() for path in options.checkpoint]
    given = [f"--checkpoint {' '.join(folders)}"] if folders else []
    given += ["--subjects validation"] if options.subjects == VALIDATION else []
    given += [f"--seed {options.seed}"] if options.seed else []
    given += [f"--{name} {' '.join(chosen)}" for name in ("toys", "scores") if (chosen := getattr(options, name))]
    given += [f"--most-subjects {options.most_subjects}"] if options.most_subjects is not None else []
    given += [f"--device {options.device}"] if options.device != "cpu" else []
    return {
        "command": " ".join(["python -m vaead_core evaluate", options.experiment, *given]),
        "checkpoints": {Path(folder).name: digest for folder, digest in digests.items()},
        "parts": parts,
        "seconds": round(seconds, 1),
        "code": code_digest(),
        "versions": {"vaead": __version__, "python": platform.python_version()} | {name: version(name) for name in packages},
    }
