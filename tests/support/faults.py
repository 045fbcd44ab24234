"""`python -m tests.support.faults [KILLS] [SEED]`: kills a training, and each command that writes results, at random moments;
exit status 1 when one left a fault.

Where a training is to write lies an older checkpoint, which must be whole after each kill. A training that comes to its end must
have the weights of one that nobody killed; then it begins anew.
"""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open

from models.export import weights_from_onnx
from tests.support.killed_writers import WRITERS, kill_writer
from tests.support.trainings import OPTIONS, prepared, tiny
from training.data import load_data
from training.run import train
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
EPOCHS = 30
Words = Callable[[Path], list[str]]  # of a training, by where it is to write


@dataclass
class Killed:
    """wrong: what was found broken. ends: trainings that came to their end. epochs: that were done at each kill."""

    kills: int = 0
    ends: int = 0
    epochs: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        reached = ", ".join(map(str, self.epochs))
        return f"{self.kills} kills (epochs done at each: {reached}), {self.ends} trainings ended, {len(self.wrong)} faults"


def command(out: Path, cohort_file: Path, epochs: int = EPOCHS, scorers: tuple[str, ...] = ()) -> list[str]:
    """A training of seconds. scorers: as of `prepared`."""
    return [*prepared("training.run", cohort_file, scorers), *OPTIONS, "--epochs", str(epochs), "--out", str(out)]


def run(words: list[str], seconds: float | None = None) -> tuple[int, str]:
    """Status and last words of a training; it is killed after `seconds`."""
    process = subprocess.Popen(
        words, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}, text=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        said = process.communicate(timeout=seconds)[1]
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        said = process.communicate()[1]
    return process.returncode, said


@dataclass(frozen=True)
class Unbroken:
    """A training that nobody killed: its words for a folder, its checkpoint, how long it took."""

    words: Words
    checkpoint: Path
    seconds: float

    @staticmethod
    def run(words: Words, checkpoint: Path) -> Unbroken:
        """Raises RuntimeError when it fails."""
        begin = time.monotonic()
        status, said = run(words(checkpoint))
        if status:
            raise RuntimeError(f"the unbroken training ended with {status}: {said}")
        return Unbroken(words, checkpoint, time.monotonic() - begin)


def kill_often(kills: int, older: Path, unbroken: Unbroken, folder: Path, seed: int = 0) -> Killed:
    """Kills the same training `kills` times, over an `older` checkpoint, and lets it come to its end."""
    found, rng, out = Killed(), np.random.default_rng(seed), folder / "model"
    wanted = weights_from_onnx(unbroken.checkpoint)
    shutil.copytree(older, out)
    while not found.wrong and (found.kills < kills or not found.ends):
        status, said = run(unbroken.words(out), rng.uniform(0, 1.1 * unbroken.seconds) if found.kills < kills else None)
        if status == -signal.SIGKILL:
            found.kills += 1
            found.epochs.append(_epochs(out, found))
        elif status == 0:
            found.ends += 1
            ours = weights_from_onnx(out)
            if not all(torch.equal(ours[name], wanted[name]) for name in wanted):
                found.wrong.append(f"after {found.kills} kills the weights differ from those of an unbroken training")
            shutil.rmtree(out)
            shutil.copytree(older, out)
        else:
            found.wrong.append(f"after {found.kills} kills the training ended with {status}: {said}")
    return found


def _epochs(out: Path, found: Killed) -> int:
    """How many the saved state holds, once it and the checkpoint were looked at."""
    try:
        Checkpoint.load(out)
    except InputError as error:
        found.wrong.append(f"kill {found.kills}: {error}")
    state = out.with_name(f"{out.name}.unfinished") / "state.safetensors"
    if not state.exists():
        return 0
    with safe_open(state, "pt") as file:
        return int(file.metadata()["epoch"]) if all(torch.isfinite(file.get_tensor(name)).all() for name in file.keys()) else -1


def main(kills: int, seed: int) -> int:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        older = tiny(folder / "older", seed=5)
        cohort = load_data(older)
        (folder / "cohort.pickle").write_bytes(pickle.dumps(cohort))
        train(older, cohort)
        unbroken = Unbroken.run(partial(command, cohort_file=folder / "cohort.pickle"), folder / "unbroken")
        found = kill_often(kills, folder / "older", unbroken, folder, seed)
    print("\n".join([*found.wrong, str(found)]), flush=True)
    faults = found.wrong
    for name in WRITERS:
        with tempfile.TemporaryDirectory() as scratch:
            wrong = kill_writer(name, kills, Path(scratch), seed)
        print("\n".join([*wrong, f"{name}: {kills} kills, {len(wrong)} faults"]), flush=True)
        faults += wrong
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main(*(int(sys.argv[at]) if len(sys.argv) > at else default for at, default in ((1, 20), (2, 0)))))
