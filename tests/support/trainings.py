"""Trainings of seconds on the synthetic cohort, here and in processes of their own."""

import sys
import tempfile
from pathlib import Path

from models.export import export_graph
from training.companion_tasks import TASKS, held_out_example
from training.config import Architecture, TrainingConfig
from training.presets import PRESETS
from vaead_core.checkpoints.provenance import Companion
from vaead_core.inference.model import Model
from vaead_core.scans.volume import Slices

OPTIONS = (
    *("quick", "--data", "synthetic:4", "--steps-per-epoch", "3", "--batch-size", "16"),
    *("--architecture.width", "8", "--architecture.latent-size", "16", "--precision", "32-true"),
)  # of `python -m training.run`, for what `tiny` trains


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


def prepared(module: str, cohort_file: Path) -> list[str]:
    """`python -m training.<module>` without its arguments, with the pickled cohort in place of one that it would prepare."""
    code = "import importlib, pickle, sys; module = importlib.import_module(sys.argv[1])"
    code += "; cohort = pickle.load(open(sys.argv[2], 'rb')); module.load_data = lambda config: cohort"
    return [sys.executable, "-c", f"{code}; sys.exit(module.main(sys.argv[3:]))", module, str(cohort_file)]


def untrained(name: str, model: Model, slices: Slices) -> tuple[bytes, Companion]:
    """A companion network of random weights, as `republish` takes it."""
    task = TASKS[name](model)
    planes = held_out_example(task, slices, 2)[0]
    with tempfile.TemporaryDirectory() as folder:
        export_graph(task.network(2, 2), planes, "planes", "map", Path(folder) / "map.onnx")
        return (Path(folder) / "map.onnx").read_bytes(), Companion({"planes": planes.shape[1]}, "epoch,loss\n")
