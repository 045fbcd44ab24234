"""`python -m vaead_core evaluate EXPERIMENT`: measures an experiment and records its table."""

from __future__ import annotations

import argparse
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from vaead_core import __version__
from vaead_core.errors import InputError
from vaead_core.experiments import records
from vaead_core.experiments.catalogue import EXPERIMENTS, Request, parts_of
from vaead_core.experiments.parts import Runner, code_digest
from vaead_core.experiments.subjects import opened

VALIDATION = "validation"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `evaluate`."""
    parser.add_argument("experiment", choices=sorted(EXPERIMENTS), metavar="EXPERIMENT", help=", ".join(sorted(EXPERIMENTS)))
    parser.add_argument("--checkpoint", nargs="+", type=Path, default=[], help="checkpoint folders, or a folder of them")
    parser.add_argument("--data", help="the cohort that the checkpoint was trained on; default: the development data")
    parser.add_argument("--subjects", choices=("test", VALIDATION), default="test", help="validation is for choosing")
    parser.add_argument("--seed", type=int, default=0, help="of the toys' places and outlines")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes on this machine")
    parser.add_argument("--dask", metavar="ADDRESS", help="a Dask scheduler whose workers run the parts")
    parser.add_argument("--out", type=Path, default=Path("results"))


def evaluate(options: argparse.Namespace) -> int:
    """Exit status: 0, or 2 with one sentence on stderr."""
    request = Request(tuple(options.checkpoint), options.data, options.subjects, options.seed)
    name = options.experiment + (f"-{VALIDATION}" if options.subjects == VALIDATION else "")
    try:
        folders, parts = parts_of(options.experiment, request)
        digests = {str(folder): opened(str(folder)).digest for folder in folders}
        start = time.monotonic()
        runner = Runner(options.out / ".parts", options.jobs, options.dask)
        measurements = runner.run(parts, lambda part: digests[part.checkpoint])
        rows = records.table(options.experiment, measurements)
        records.write(options.out, name, rows, _about(options, digests, len(parts), time.monotonic() - start))
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{options.out} could not be written ({error.strerror}); finished parts are kept.", file=sys.stderr)
        return 2
    print(f"{options.out / name}.csv: {len(rows)} rows from {len(measurements)} measurements")
    return 0


def _about(options: argparse.Namespace, digests: dict[str, str], parts: int, seconds: float) -> dict[str, Any]:
    packages = ("numpy", "scipy", "scikit-learn", "pyod", "onnxruntime", "SimpleITK")
    given = [f"--checkpoint {' '.join(path.name for path in options.checkpoint)}"] if options.checkpoint else []
    given += ["--subjects validation"] if options.subjects == VALIDATION else []
    given += [f"--seed {options.seed}"] if options.seed else []
    return {
        "command": " ".join(["python -m vaead_core evaluate", options.experiment, *given]),
        "checkpoints": {Path(folder).name: digest for folder, digest in digests.items()},
        "parts": parts,
        "seconds": round(seconds, 1),
        "code": code_digest(),
        "versions": {"vaead": __version__, "python": platform.python_version()} | {name: version(name) for name in packages},
    }
