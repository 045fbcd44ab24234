"""Commands that write results, killed at random moments: what lies there then is of before or of after, each piece whole."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from tests.support.bids import FEW_MAPS, put, written
from tests.support.made import made
from tests.support.scans import scan_file
from tests.support.trainings import FEW, prepared
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.cohorts.synthetic import synthetic_brain
from vaead_core.experiments import records

ROOT = Path(__file__).resolve().parents[2]
TOYS = ("slices", "--toys", "tumour", "--data", "synthetic:4")


@dataclass(frozen=True)
class Writer:
    """prepare: makes a folder as it is before. words: of the command that changes it. pieces: all that a reader finds there, by
    name, each of which must be of before or of after; reading raises where one is damaged."""

    prepare: Callable[[Path], None]
    words: Callable[[Path], list[str]]
    pieces: Callable[[Path], dict[str, Any]]


def kill_writer(name: str, kills: int, scratch: Path, seed: int = 0) -> list[str]:
    """What was wrong once a writer was killed `kills` times, each time anew: every second time as soon as it writes. After each
    kill the same command must end as if nothing had been."""
    writer, rng, wrong = WRITERS[name], np.random.default_rng(seed), []
    pristine, whole = scratch / "pristine", scratch / "whole"
    writer.prepare(pristine)
    before = writer.pieces(pristine)
    shutil.copytree(pristine, whole)
    begin = time.monotonic()
    _run(writer.words(whole))
    seconds, after = time.monotonic() - begin, writer.pieces(whole)
    killed, tries = 0, 0
    while killed < kills:
        tries += 1
        folder, moment = shutil.copytree(pristine, scratch / "killed"), rng.uniform(0, 0.1)
        if _is_killed(writer.words(folder), folder, None if tries % 2 else rng.uniform(0.3, 1) * seconds, moment):
            killed += 1
            wrong += [f"{name}, kill {killed}: {one}" for one in _wrong(writer, folder, before, after)]
        shutil.rmtree(folder)
    return wrong


def _wrong(writer: Writer, folder: Path, before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Where it was killed."""
    try:
        found = writer.pieces(folder)
        wrong = [f"{one} is neither the old nor the new" for one in _neither(found, before, after)]
        wrong += [f"{one} is lost" for one in before.keys() - found.keys()]
        _run(writer.words(folder))
        return wrong if writer.pieces(folder) == after else [*wrong, "the command, given again, comes to something else"]
    except Exception as error:
        return [f"{type(error).__name__}: {error}"]


def _neither(found: dict[str, Any], before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [name for name, piece in found.items() if piece not in (before.get(name), after.get(name))]


def _run(words: list[str]) -> None:
    done = subprocess.run(words, cwd=ROOT, env=_environment(), capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"ended with {done.returncode}: {done.stderr.strip()[-300:]}")


def _is_killed(words: list[str], folder: Path, seconds: float | None, moment: float) -> bool:
    """False where it ended by itself first. seconds: after which it is killed; None: `moment` after it changed the folder."""
    process = subprocess.Popen(words, cwd=ROOT, env=_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    first, begin = _listing(folder), time.monotonic()
    while process.poll() is None:
        if seconds is None and _listing(folder) != first:
            seconds = time.monotonic() - begin + moment
        if seconds is not None and time.monotonic() - begin >= seconds:
            process.send_signal(signal.SIGKILL)
            process.wait()
        time.sleep(0.002)
    return process.returncode == -signal.SIGKILL


def _listing(folder: Path) -> set[tuple[str, int]]:
    found = set()
    for path in folder.parent.rglob(f"{folder.name}*/**/*"):
        try:
            found.add((str(path), path.stat().st_mtime_ns))
        except FileNotFoundError:
            continue
    return found


def _environment() -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1", "VAEAD_CHECKPOINTS": str(_tiny().parent), "VAEAD_DATA": "/nowhere"}


def _tiny() -> Path:
    return made() / "checkpoints" / "tiny"


def _vaead(*words: str) -> list[str]:
    return [sys.executable, "-m", "vaead_core", *words]


def _scan(folder: Path) -> None:
    folder.mkdir()
    (folder / "scan.nii").write_bytes(scan_file(synthetic_brain(7, 0, 40.0)))


def _maps(folder: Path) -> dict[str, Any]:
    maps = {path.name: nib.load(path).get_fdata().tobytes() for path in folder.glob("maps/*.nii.gz")}
    return maps | {path.name: path.read_text() for path in folder.glob("maps/*.json")}


def _measured(folder: Path) -> None:
    _run(_vaead("evaluate", *TOYS, "--checkpoint", str(_tiny()), "--scores", "residual", "--out", str(folder)))


def _tables(folder: Path) -> dict[str, Any]:
    """A table and what tells of it are one piece."""
    table, about = records.read(folder, "slices"), records.about_of(folder, "slices")
    return {"slices": (table.to_csv(), about["command"], [one["command"] for one in about.get("added", [])])}


def _recorded(folder: Path) -> None:
    """The tables of the repository beside an older report of them."""
    folder.mkdir()
    for name in ("fashion", "slices", "slices-validation", "painted", "painted-validation"):
        records.write(folder, name, records.read(ROOT / "results", name), records.about_of(ROOT / "results", name))
    (folder / "README.md").write_text("An older report.\n")


def _report(folder: Path) -> dict[str, Any]:
    return {path.name: path.read_bytes() for path in (folder / "README.md", *folder.glob("figures/*.png"))}


def _copied(folder: Path) -> None:
    folder.mkdir()
    shutil.copytree(_tiny(), folder / "tiny")


def _published(folder: Path) -> dict[str, Any]:
    checkpoint = Checkpoint.load(folder / "tiny")
    return {"checkpoint": (checkpoint.card, checkpoint.digest)}


def _dataset(folder: Path) -> None:
    for number in (1, 2):
        scan = scan_file(synthetic_brain(7, number, 40.0))
        put(folder / "raw", f"sub-0{number}/anat/sub-0{number}_T1w.nii.gz", scan)


def _study(folder: Path, stage: str, *words: str) -> list[str]:
    return _vaead(str(folder / "raw"), str(folder / "derivatives"), stage, *words)


def _participants(folder: Path) -> list[str]:
    return _study(folder, "participant", "--checkpoint", str(_tiny()), "--scorers", *FEW_MAPS)


def _finished(folder: Path) -> None:
    _dataset(folder)
    _run(_participants(folder))


def _derivatives(folder: Path) -> dict[str, Any]:
    files = written(folder / "derivatives")
    return {name: content for name, content in files.items() if not Path(name).name.startswith(".")}


WRITERS = {
    "score": Writer(
        _scan,
        lambda at: _vaead(
            "score", str(at / "scan.nii"), "--checkpoint", str(_tiny()), "--scorers", *FEW, "--out", str(at / "maps")
        ),
        _maps,
    ),
    "evaluate": Writer(
        _measured,
        lambda at: _vaead("evaluate", *TOYS, "--checkpoint", str(_tiny()), "--scores", "voxel_atlas", "--add", "--out", str(at)),
        _tables,
    ),
    "publish": Writer(
        _copied,
        lambda at: [*prepared("training.publish", made() / "thin.pickle", FEW), str(at / "tiny"), "--notes", "Once more."],
        _published,
    ),
    "participant": Writer(_dataset, _participants, _derivatives),
    "group": Writer(_finished, lambda at: _study(at, "group"), _derivatives),
    "report": Writer(_recorded, lambda at: _vaead("report", "--results", str(at)), _report),
}
