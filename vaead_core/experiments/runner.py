"""Parts of an experiment: run on one core, several, or a Dask cluster; finished ones are kept on disk."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import joblib
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from threadpoolctl import threadpool_limits

from vaead_core.computing.code import code_digest
from vaead_core.computing.dask_cluster import cluster
from vaead_core.computing.whole_file import write_whole
from vaead_core.experiments.records import Measurement

_PROGRESS = re.compile(r"(\d+) of (\d+) parts")


class Part(Protocol):
    """A frozen dataclass of plain values whose `measure` depends on nothing else but the files that it names.

    It gives frozen dataclasses of plain values: a Measurement, or another kind of row that the experiment names.
    """

    def measure(self) -> list[Any]: ...


@dataclass(frozen=True)
class Runner:
    """How parts are run. jobs: processes here; dask: a scheduler's address instead. kept: folder of finished parts."""

    kept: Path
    jobs: int = 1
    dask: str | None = None

    def run(self, parts: list[Any], identity: Callable[[Any], str], row: type[Any] = Measurement) -> list[Any]:
        """All measurements, in the order of `parts`. identity: digest of the files that a part reads. row: what parts measure."""
        files = [self.kept / f"{_key(part, identity(part))}.json" for part in parts]
        missing = [(part, file) for part, file in zip(parts, files, strict=True) if not file.is_file()]
        if missing:
            self.kept.mkdir(parents=True, exist_ok=True)
            with (
                cluster(self.dask) if self.dask else nullcontext(),
                _progress(len(parts), len(parts) - len(missing)) as advance,
            ):
                calls = (joblib.delayed(_measured)(index, part) for index, (part, _) in enumerate(missing))
                pool = joblib.Parallel(n_jobs=None if self.dask else self.jobs, return_as="generator_unordered")
                for index, found in pool(calls):
                    _keep(missing[index][1], found)
                    advance()
        return [row(**one) for file in files for one in json.loads(file.read_text())]


def _measured(index: int, part: Part) -> tuple[int, list[Any]]:
    with threadpool_limits(1):  # sums in one order: the same digits on any number of cores
        return index, part.measure()


def _keep(file: Path, found: list[Any]) -> None:
    write_whole(file, json.dumps([asdict(one) for one in found]))


def _key(part: Any, identity: str) -> str:
    described = json.dumps([type(part).__name__, asdict(part), identity, code_digest()], sort_keys=True, default=str)
    return hashlib.blake2b(described.encode(), digest_size=12).hexdigest()


def share_done(line: str) -> float | None:
    """The share (0 to 1) of parts that a line of progress tells of, as `evaluate` prints it without a terminal; else None."""
    found = _PROGRESS.fullmatch(line.strip())
    return int(found[1]) / max(1, int(found[2])) if found else None


@contextmanager
def _progress(total: int, done: int) -> Iterator[Callable[[], None]]:
    """A bar on a terminal; without one, a line on stderr for each finished part."""
    console = Console(stderr=True)
    if not console.is_terminal:
        counted = itertools.count(done)

        def tell() -> None:
            print(f"{next(counted)} of {total} parts", file=sys.stderr, flush=True)

        tell()
        yield tell
        return
    columns = (
        TextColumn("Parts"), BarColumn(), MofNCompleteColumn(),
        TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("parts", total=total, completed=done)
        yield lambda: bar.advance(task)
