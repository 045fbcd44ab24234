"""`python -m tests.support.faults [KILLS] [SEED]`: kills a training at random moments; exit status 1 when it left a fault.

Where it is to write lies an older checkpoint, which must be whole after each kill. A training that comes to its end must
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
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open

from models.export import weights_from_onnx
from tests.support.trainings import OPTIONS, prepared, tiny
from training.data import load_data
from training.run import train
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
EPOCHS = 30


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


def command(out: Path, cohort_file: Path, epochs: int = EPOCHS) -> list[str]:
    """A training of seconds."""
    return [*prepared("training.run", cohort_file), *OPTIONS, "--epochs", str(epochs), "--out", str(out)]


def run(out: Path, cohort_file: Path, epochs: int, seconds: float | None = None) -> tuple[int, str]:
    """Status and last words of the training; it is killed after `seconds`."""
    process = subprocess.Popen(
        command(out, cohort_file, epochs), cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}, text=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        said = process.communicate(timeout=seconds)[1]
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        said = process.communicate()[1]
    return process.returncode, said


def kill_often(kills: int, older: Path, cohort_file: Path, folder: Path, seed: int = 0, epochs: int = EPOCHS) -> Killed:
    """Kills a training `kills` times, over an `older` checkpoint, and lets it come to its end."""
    found, rng, out = Killed(), np.random.default_rng(seed), folder / "model"
    begin = time.monotonic()
    status, said = run(folder / "unbroken", cohort_file, epochs)
    whole = time.monotonic() - begin
    if status:
        found.wrong.append(f"the unbroken training ended with {status}: {said}")
        return found
    wanted = weights_from_onnx(folder / "unbroken")
    shutil.copytree(older, out)
    while not found.wrong and (found.kills < kills or not found.ends):
        status, said = run(out, cohort_file, epochs, rng.uniform(0, 1.1 * whole) if found.kills < kills else None)
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
        found = kill_often(kills, folder / "older", folder / "cohort.pickle", folder, seed)
    print("\n".join([*found.wrong, str(found)]))
    return int(bool(found.wrong))


if __name__ == "__main__":
    sys.exit(main(*(int(sys.argv[at]) if len(sys.argv) > at else default for at, default in ((1, 20), (2, 0)))))
