"""What many tests need and takes most of a minute to make: made once for all processes, and kept for the next run."""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from filelock import FileLock

from tests.support.bids import FEW_MAPS, study_tree
from tests.support.sites import calibrated, foreign_brains
from tests.support.trainings import FEW, only_scorers, tiny, untrained
from training.data import TrainingData, load_data
from training.publish import republish
from training.run import train
from vaead_core.__main__ import main
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.checkpoints.provenance import SUBSETS
from vaead_core.inference.vae import COMPANIONS

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / ".pytest_cache" / "made"
SUPPORT = tuple(f"tests/support/{name}.py" for name in ("made", "trainings", "sites", "bids", "scans"))
SOURCES = ("vaead_core", "models", "training", *SUPPORT)
PACKAGES = ("numpy", "scipy", "SimpleITK", "scikit-learn", "torch", "lightning-fabric", "onnx", "onnxruntime")
MOST_KEPT = 3  # a run that goes on while its sources change keeps what it began with


def made() -> Path:
    """A folder to be read alone.

    cohort.pickle: what `tiny` trains on. thin.pickle: every fourth slice of it, on which a training is published in
    a fourth of the time. checkpoints/tiny: what `tiny` comes to; few/tiny: the same, calibrated for FEW alone. site.npz:
    of the first for `foreign_brains`. study: a dataset of `study_tree` and, in derivatives/vaead, its FEW_MAPS by the first.
    """
    folder = KEPT / _key()
    KEPT.mkdir(parents=True, exist_ok=True)
    with FileLock(KEPT / "lock"):
        if not is_whole(folder):
            shutil.rmtree(folder, ignore_errors=True)
            with tempfile.TemporaryDirectory(dir=KEPT, prefix="unfinished-") as scratch:
                _make(Path(scratch) / folder.name)
                os.replace(Path(scratch) / folder.name, folder)
            for older in sorted(KEPT.glob("[!u]*/"), key=os.path.getmtime)[:-MOST_KEPT]:
                shutil.rmtree(older)
    return folder


def is_whole(folder: Path) -> bool:
    """Whether all is there as it was made."""
    record = folder / "digest"
    return record.is_file() and record.read_text() == _digest(path for path in folder.rglob("*") if path != record)


def _make(folder: Path) -> None:
    cohort = load_data(tiny(Path("nowhere")))
    checkpoint = folder / "checkpoints" / "tiny"
    with only_scorers(*FEW):  # it is calibrated for all of them below
        train(tiny(checkpoint), cohort)
    shutil.copytree(checkpoint, folder / "few" / "tiny")
    model = Checkpoint.load(checkpoint).model
    companions = {name: untrained(name, model, cohort.train.slices) for name in COMPANIONS}
    republish(checkpoint, companions=companions, cohort=cohort, scans=True)
    (folder / "cohort.pickle").write_bytes(pickle.dumps(cohort))
    (folder / "thin.pickle").write_bytes(pickle.dumps(_thinned(cohort, 4)))
    calibrated(Checkpoint.load(checkpoint), foreign_brains(cohort)).write(folder / "site.npz")
    raw = study_tree(folder / "study")
    with redirect_stdout(None), redirect_stderr(None):
        main([str(raw), str(raw / "derivatives/vaead"), "participant", "--checkpoint", str(checkpoint), "--scorers", *FEW_MAPS])
    (folder / "digest").write_text(_digest(folder.rglob("*")))


def _thinned(cohort: TrainingData, step: int) -> TrainingData:
    parts = {name: getattr(cohort, name) for name in SUBSETS}
    return replace(
        cohort, **{name: replace(one, slices=one.slices[::step], subject=one.subject[::step]) for name, one in parts.items()}
    )


def _key() -> str:
    """Another one when anything changes that computes them."""
    files = [path for name in SOURCES for path in ([ROOT / name] if name.endswith(".py") else (ROOT / name).rglob("*"))]
    versions = " ".join(version(package) for package in PACKAGES)
    return hashlib.sha256(f"{versions} {_digest(path for path in files if path.suffix != '.pyc')}".encode()).hexdigest()[:16]


def _digest(paths) -> str:
    found = hashlib.sha256()
    for path in sorted(path for path in paths if path.is_file()):
        found.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return found.hexdigest()
