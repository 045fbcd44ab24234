"""Trainings of seconds on the synthetic cohort, here and in processes of their own."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.export import export_graph
from training.companion_tasks import TASKS, held_out_example
from training.config import Architecture, TrainingConfig
from training.presets import PRESETS
from vaead_core.checkpoints.provenance import Companion
from vaead_core.inference.model import Model
from vaead_core.scans.volume import Slices
from vaead_core.scorers import SCORERS

OPTIONS = (
    *("quick", "--data", "synthetic:4", "--steps-per-epoch", "3", "--batch-size", "16"),
    *("--architecture.width", "8", "--architecture.latent-size", "16", "--precision", "32-true"),
)  # of `python -m training.run`, for what `tiny` trains
FEW = ("normalised_residual", "residual", "voxel_atlas")  # what a checkpoint is calibrated for where nobody looks at its maps


def tiny(out: Path, **changes) -> TrainingConfig:
    """A training of seconds on the synthetic cohort."""
    settings = {
        "data": "synthetic:4",
        "epochs": 2,
        "steps_per_epoch": 3,
        "batch_size": 16,
        "architecture": Architecture(width=8, latent_size=16),
        "precision": "32-true",
        "out": out,
    }
    return PRESETS["quick"][1].model_copy(update=settings | changes)


@contextmanager
def only_scorers(*names: str) -> Iterator[None]:
    """No others are known here: calibrating for all of them takes longer than a short training."""
    known = dict(SCORERS)
    for name in known.keys() - set(names):
        del SCORERS[name]
    try:
        yield
    finally:
        SCORERS.clear()
        SCORERS.update(known)  # in their order


def prepared(module: str, cohort_file: Path, scorers: tuple[str, ...] = ()) -> list[str]:
    """`python -m training.<module>` without its arguments, with the pickled cohort in place of one that it would prepare.

    scorers: all that it knows; none named: every one.
    """
    code = "import importlib, pickle, sys; module = importlib.import_module(sys.argv[1])"
    code += "; cohort = pickle.load(open(sys.argv[2], 'rb')); module.load_data = lambda config: cohort"
    if scorers:
        code += f"; from vaead_core.scorers import SCORERS; [SCORERS.pop(name) for name in SCORERS.keys() - set({scorers})]"
    return [sys.executable, "-c", f"{code}; sys.exit(module.main(sys.argv[3:]))", module, str(cohort_file)]


def untrained(name: str, model: Model, slices: Slices) -> tuple[bytes, Companion]:
    """A companion network of random weights, as `republish` takes it."""
    task = TASKS[name](model)
    planes = held_out_example(task, slices, 2)[0]
    with tempfile.TemporaryDirectory() as folder:
        export_graph(task.network(2, 2), planes, "planes", "map", Path(folder) / "map.onnx")
        return (Path(folder) / "map.onnx").read_bytes(), Companion({"planes": planes.shape[1]}, "epoch,loss\n")
