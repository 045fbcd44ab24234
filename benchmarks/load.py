"""`python -m benchmarks.load [--sessions 20] [--minutes 5] [--uploads 200] [--hostile] [--record]`: many readers on one server.

Each reader is a session of its own over loopback: it uploads scans, moves the crosshair, plants toys, changes pages, and
pauses between acts. Every second one has scans of 1 mm, the others of 2 mm. With --hostile one of them wants all of the server's
time and memory; the others are measured without it first. Exit status 1 when anything went wrong.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import nibabel as nib
import numpy as np

from benchmarks.load_hostile import Hostile
from benchmarks.load_report import compared, record, slower, tables
from benchmarks.server_process import ServerProcess
from tests.support.reader import Reader, Run
from tests.support.server import serve, wait_for
from vaead_core.cohorts.synthetic import synthetic_brain

PAUSE_SECONDS = 3.0  # mean
LOOKS, TOYS = 8, 4  # between two uploads
GONE_SECONDS = 125.0  # the app waits two minutes for a reader to come back
SETTLED = 20  # uploads, after which memory shall be flat
MOST_GROWTH = 1.2


@dataclass
class Tally:
    """What readers met. seconds: by act. waited: acts that were told to wait for their turn. faults: all that went wrong."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    waited: int = 0
    faults: list[str] = field(default_factory=list)

    def act(self, name: str, run: Callable[[], Run]) -> None:
        """One act, timed."""
        start = time.perf_counter()
        found = run()
        self.seconds[name].append(time.perf_counter() - start)
        self.waited += any("yours" in sentence for sentence in found.sentences)
        self.faults += [f"{name}: {error}" for error in found.errors]


Part = tuple[Tally, dict[str, float]]


class Scans:
    """Brains that are all different, as files: of 2 mm, or of 1 mm with eight times the voxels."""

    def __init__(self) -> None:
        self._brain = synthetic_brain(7, 0, 40.0)

    def file(self, rng: np.random.Generator, spacing_mm: int) -> bytes:
        brain = self._brain.data * (1 + 0.01 * rng.standard_normal(self._brain.data.shape, np.float32))
        if spacing_mm == 2:
            return nib.Nifti1Image(brain, self._brain.affine).to_bytes()
        fine = (900 * brain / brain.max()).astype(np.int16).repeat(2, 0).repeat(2, 1).repeat(2, 2)
        return nib.Nifti1Image(fine, self._brain.affine @ np.diag([0.5, 0.5, 0.5, 1])).to_bytes()


@contextmanager
def watched(tally: Tally) -> Iterator[tuple[str, ServerProcess]]:
    """A server that a first reader has warmed. A traceback in its log, or its end, is a fault."""
    with tempfile.TemporaryFile("w+") as log:
        server, address = serve(stdout=log, stderr=log)
        try:
            wait_for(address)
            with Reader(address) as first:
                first.run()
                first.look(done=True)
                first.open("Toy lab")
            yield address, ServerProcess(server.pid)
            if server.poll() is not None:
                tally.faults.append(f"the server ended with status {server.returncode}")
        finally:
            server.terminate()
            server.wait(30)
            log.seek(0)
            tally.faults += ["the server's log holds a traceback"] * ("Traceback" in log.read())


def crowd(sessions: int, minutes: float, besides: Callable[[str, float], None] | None = None) -> Part:
    """What `sessions` readers meet, and the server's memory in MB before, meanwhile and afterwards.

    besides: what somebody else does with the server's address until then.
    """
    tally, scans = Tally(), Scans()
    with watched(tally) as (address, server):
        about = {"at the start, the sample's maps open": server.megabytes}
        until = time.monotonic() + 60 * minutes
        readers = [threading.Thread(target=_read, args=(address, n, scans, until, tally)) for n in range(sessions)]
        readers += [threading.Thread(target=besides, args=(address, until))] if besides else []
        for one in readers:
            one.start()
        for one in readers:
            one.join()
        about["at most"] = server.most_megabytes
        time.sleep(GONE_SECONDS)
        about["after all have left"] = server.megabytes
        if about["after all have left"] > MOST_GROWTH * about["at the start, the sample's maps open"]:
            tally.faults.append("memory did not return to within 20 % of the start")
        before = server.work_seconds
        time.sleep(10)
        if (work := server.work_seconds - before) > 1:
            tally.faults.append(f"with nobody there, the server worked for {work:.1f} of 10 s")
    return tally, about


def crowd_beside_hostile(sessions: int, minutes: float) -> tuple[Part, Part, Hostile]:
    """As `crowd`, of all readers but one: without that one, and while it is hostile."""
    without = crowd(sessions - 1, minutes)
    with tempfile.TemporaryDirectory() as folder:
        hostile = Hostile(Path(folder))
        beside = crowd(sessions - 1, minutes, hostile.attack)
    faults = beside[0].faults
    faults += slower(without[0].seconds, beside[0].seconds)
    if not hostile.has_tried:
        faults.append("the hostile reader did not come to all that it wanted; give it more minutes")
    return without, beside, hostile


def row_of_uploads(count: int) -> Part:
    """One reader with one scan after the other, and the server's memory in MB, in the middle of each tenth of them."""
    tally, scans, rng, about = Tally(), Scans(), np.random.default_rng(0), []
    with watched(tally) as (address, server), Reader(address) as reader:
        reader.run()
        for number in range(count):
            content = scans.file(rng, 1 + number % 2)
            tally.act(f"upload of {1 + number % 2} mm to maps", partial(reader.upload, "scan.nii", content))
            about.append(server.megabytes)
    settled = max(about[: SETTLED + 1])
    if max(about) > MOST_GROWTH * settled:
        tally.faults.append(f"memory grew from {settled:.0f} to {max(about):.0f} MB")
    return tally, {f"most, up to upload {SETTLED}": settled, "most of all": max(about), f"after upload {count}": about[-1]}


def _read(address: str, number: int, scans: Scans, until: float, tally: Tally) -> None:
    """One reader's acts, until the time is over."""
    rng = np.random.default_rng(number)
    spacing_mm = 1 + number % 2

    def act(name: str, run: Callable[[], Run]) -> None:
        if time.monotonic() < until:
            time.sleep(rng.exponential(PAUSE_SECONDS))
            tally.act(name, run)

    def move() -> Run:
        if reader.last.viewer is None:
            raise LookupError("the page shows no viewer")
        cursor = {"voxel": rng.integers(20, 60, 3).tolist(), "after": reader.last.viewer["after"]}
        return reader.look(done=True, cursor=cursor)

    def plant() -> Run:
        before = reader.last.toys
        found = reader.plant(tuple(rng.integers(25, 45, 3).tolist()))
        if found.toys != before + 1:
            raise LookupError(f"no toy was planted: {found.sentences}")
        return found

    try:
        with Reader(address) as reader:
            act("first page", reader.run)
            while time.monotonic() < until:
                act(f"upload of {spacing_mm} mm to maps", lambda: reader.upload("scan.nii", scans.file(rng, spacing_mm)))
                for _ in range(LOOKS):
                    act("crosshair, with its scores", move)
                act("page switch", lambda: reader.open("Toy lab"))
                for _ in range(TOYS):
                    act("toy to maps and curves", plant)
                act("page switch", lambda: reader.open("Explore"))
                act("first page", lambda: _opened(address))  # in another tab, as those at the start meet a server at rest
    except Exception as error:  # whatever a reader meets is a fault of the app, and belongs into the table
        tally.faults.append(f"reader {number}: {type(error).__name__}: {error}")


def _opened(address: str) -> Run:
    with Reader(address) as tab:
        return tab.run()


def main() -> int:
    """Prints the tables; 1 when anything went wrong."""
    parser = argparse.ArgumentParser("python -m benchmarks.load", description=__doc__.split(":")[1].strip())
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--uploads", type=int, default=200)
    parser.add_argument("--hostile", action="store_true", help="one of the sessions is hostile; also measured without it")
    parser.add_argument("--record", action="store_true", help="write what was measured into docs/load.md")
    options = parser.parse_args()
    parts: dict[str, Part] = {}
    faults: list[str] = []
    sections, title = {}, f"{options.sessions} sessions for {options.minutes:g} minutes"
    if options.sessions and options.hostile:
        without, beside, hostile = crowd_beside_hostile(options.sessions, options.minutes)
        faults = without[0].faults + beside[0].faults
        sections[f"{title}, one of them hostile"] = compared(without, beside, hostile.answers)
    elif options.sessions:
        parts[title] = crowd(options.sessions, options.minutes)
    if options.uploads:
        parts[f"{options.uploads} uploads in a row"] = row_of_uploads(options.uploads)
    sections |= tables(parts)
    print("\n\n".join(f"{title}\n{text}" for title, text in sections.items()))
    if options.record:
        record(sections)
    return int(any(faults) or any(tally.faults for tally, _ in parts.values()))


if __name__ == "__main__":
    sys.exit(main())
