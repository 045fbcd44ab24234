"""Seeded cases, one after the other, and what they came to."""

from __future__ import annotations

import faulthandler
import resource
import shutil
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx

from pages.shared.server import memory
from tests.fuzz import archives, graphs, scans, series, tables
from tests.fuzz.watch import watching
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.errors import InputError
from vaead_core.pipeline import scoring
from vaead_core.pipeline.scoring import PreparedScan
from vaead_core.scans.volume import Volume

HANG_SECONDS = 10.0
GIVE_UP_SECONDS = 120.0
LONGEST_SENTENCE = 300

Work = Callable[[], bool]


CASES_A_VISIT = 25  # after which a server gives back what a reader's session held


@dataclass
class Tally:
    """wrong: what went neither way, with its seed. hangs: cases that took over HANG_SECONDS. megabytes: by which the process's
    peak grew."""  # fmt: skip

    cases: int = 0
    used: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)
    hangs: list[str] = field(default_factory=list)
    longest: float = 0.0
    megabytes: int = 0

    def __str__(self) -> str:
        return (
            f"{self.cases} cases: {self.used} used, {self.refused} refused with a sentence, "
            f"{len(self.wrong)} wrong, {len(self.hangs)} over {HANG_SECONDS:g} s, longest {self.longest:.1f} s, "
            f"peak memory +{self.megabytes} MB"
        )


@dataclass(frozen=True)
class Good:
    """What is damaged, and what scores a scan whose file was good enough."""

    files: archives.Files
    graph: bytes
    checkpoint: Checkpoint
    brain: Volume
    prepared: PreparedScan


def fuzz(count: int, checkpoint_folder: Path, brain: Volume, scratch: Path, seed: int = 0) -> Tally:
    """`count` cases of all kinds, the same for the same seed. checkpoint_folder: a good checkpoint of brains."""
    checkpoint = Checkpoint.load(checkpoint_folder)
    files = {path.name: path.read_bytes() for path in checkpoint_folder.iterdir()}
    graph = onnx.load_from_string(files["decoder.onnx"]).graph.SerializeToString()
    good = Good(files, graph, checkpoint, brain, scoring.prepare(brain, checkpoint))
    return _tallied(lambda number, rng, into: _case(number, rng, good, into), count, scratch, seed)


def fuzz_series(count: int, scratch: Path, seed: int = 0) -> Tally:
    """`count` cases of damaged DICOM series alone."""
    return _tallied(lambda _, rng, into: _series(rng, into), count, scratch, seed)


def _tallied(case: Callable[[int, np.random.Generator, Path], Work], count: int, scratch: Path, seed: int) -> Tally:
    memory.keep_large_arrays_apart()  # as a server does
    tally, before = Tally(), _peak()
    for number in range(count):
        if number % CASES_A_VISIT == 0:
            memory.give_back()
        rng = np.random.default_rng((seed, number))
        into = scratch / "case"
        into.mkdir()
        _count(tally, case(number, rng, into), into, f"case {number} of seed {seed}")
        shutil.rmtree(into)
        if list(scratch.iterdir()):
            tally.wrong.append(f"case {number} of seed {seed} wrote beside its folder")
    tally.megabytes = (_peak() - before) >> 10
    return tally


def _case(number: int, rng: np.random.Generator, good: Good, into: Path) -> Work:
    """One in 100 is a brain that is registered and scored, as that takes a second."""
    if number % 100 == 0:
        content = scans.brain_file(good.brain, rng)
        return lambda: scans.score(content, good.checkpoint)
    kinds = {"scan": 0.4, "truth": 0.05, "graph": 0.1, "series": 0.1, "archive": 0.15, "folder": 0.15, "table": 0.05}
    match rng.choice(list(kinds), p=list(kinds.values())):
        case "scan":
            content = scans.scan_file(rng)
            return lambda: scans.read(content)
        case "truth":
            content = scans.truth_file(good.brain, rng)
            return lambda: scans.judge(content, good.brain)
        case "graph":
            content = graphs.graph_file(good.graph, rng)
            return lambda: graphs.take(content)
        case "series":
            return _series(rng, into)
        case "archive":
            content = archives.archive(good.files, rng)
            return lambda: archives.take(content, into, good.prepared)
        case "folder":
            held = archives.altered(good.files, rng)
            return lambda: archives.open_folder(held, into, good.prepared)
    return lambda: tables.folder(into, rng)


def _series(rng: np.random.Generator, into: Path) -> Work:
    content = series.archive(rng)
    return lambda: series.read(content, into)


def _count(tally: Tally, work: Work, into: Path, name: str) -> None:
    faulthandler.dump_traceback_later(GIVE_UP_SECONDS, exit=True)
    begin = time.perf_counter(), time.process_time()
    with watching(into) as seen:
        try:
            tally.used += work()
            found = ""
        except InputError as error:
            found = _fault(str(error), into)
            tally.refused += not found
        except Exception:
            found = traceback.format_exc()
    seconds = min(time.perf_counter() - begin[0], time.process_time() - begin[1])  # neither a busy machine's, nor all cores'
    faulthandler.cancel_dump_traceback_later()
    if seen:
        tally.wrong.append(f"{name} did what no file may: {'; '.join(seen[:5])}")
    if found:
        tally.wrong.append(f"{name}: {found}")
    tally.cases += 1
    tally.longest = max(tally.longest, seconds)
    if seconds > HANG_SECONDS:
        tally.hangs.append(f"{name} took {seconds:.1f} s")


def _fault(sentence: str, into: Path) -> str:
    """What is wrong with a refusal; nothing, when it is one plain sentence of moderate length that names no folder."""
    plain = sentence.isprintable() and sentence.endswith(".") and len(sentence) <= LONGEST_SENTENCE
    return "" if plain and str(into.parent) not in sentence else f"not a plain sentence: {sentence!r}"


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
