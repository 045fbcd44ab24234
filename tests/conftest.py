"""What several tests share: development data, a tiny trained checkpoint and its cohort, an asymmetric head phantom."""

import pickle
import sys
import tempfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from playwright.sync_api import sync_playwright

from benchmarks.start import CHROMIUM, served
from models.export import export_graph
from tests.acceptance import Acceptance
from tests.clusters import cluster
from training.config import Architecture
from training.data import TrainingData, load_data
from training.further_tasks import TASKS, held_out_example
from training.presets import PRESETS
from training.publish import republish
from training.run import train
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.cohorts.locations import find_data
from vaead_core.cohorts.synthetic import synthetic_brain
from vaead_core.inference.model import Model
from vaead_core.inference.vae import FURTHER
from vaead_core.scans.volume import Slices, Volume


def development_data(name: str) -> Path:
    folder = find_data(name)
    if folder is None:
        pytest.skip(f"no development data: {name} is neither below $VAEAD_DATA nor below ../shared/data")
    return folder


def tiny(out: Path, **changes):
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


@pytest.fixture(scope="module")
def dask_cluster():
    """Address of two Dask workers."""
    with cluster(workers=2) as address:
        yield address


def reoriented(volume: Volume, codes: str, turn_degrees: float = 0) -> nib.Nifti1Image:
    """The volume stored in another axis order, its world turned about the left-right axis."""
    angle = np.deg2rad(turn_degrees)
    turn = np.eye(4)
    turn[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    image = nib.Nifti1Image(volume.data, turn @ volume.affine)
    wanted = nib.orientations.axcodes2ornt(codes)
    return image.as_reoriented(nib.orientations.ornt_transform(nib.orientations.axcodes2ornt("RAS"), wanted))


@pytest.fixture(scope="session")
def tiny_cohort() -> TrainingData:
    """What `tiny` trains on, prepared once."""
    return load_data(tiny(Path("nowhere")))


@pytest.fixture(scope="session")
def tiny_cohort_file(tiny_cohort, tmp_path_factory) -> Path:
    """The same as a pickle, for processes that a test starts."""
    path = tmp_path_factory.mktemp("cohort") / "tiny.pickle"
    path.write_bytes(pickle.dumps(tiny_cohort))
    return path


@pytest.fixture(scope="session")
def tiny_checkpoint_folder(tiny_cohort, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints") / "tiny"
    train(tiny(folder), tiny_cohort)
    model = Checkpoint.load(folder).model
    further = {name: untrained(name, model, tiny_cohort.train.slices) for name in FURTHER}
    republish(folder, further=further, cohort=tiny_cohort, scans=True)
    return folder


def untrained(name: str, model: Model, slices: Slices) -> tuple[bytes, dict]:
    """A further network of random weights, as `republish` takes it."""
    task = TASKS[name](model)
    planes = held_out_example(task, slices, 2)[0]
    with tempfile.TemporaryDirectory() as folder:
        export_graph(task.network(2, 2), planes, "planes", "map", Path(folder) / "map.onnx")
        return (Path(folder) / "map.onnx").read_bytes(), {"planes": planes.shape[1], "history": "epoch,loss\n"}


@pytest.fixture(scope="session")
def tiny_checkpoint(tiny_checkpoint_folder) -> Checkpoint:
    return Checkpoint.load(tiny_checkpoint_folder)


@pytest.fixture(scope="module")
def checkpoints(tiny_checkpoint_folder):
    """The folder of the tiny checkpoint alone, where pages and servers find theirs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAEAD_CHECKPOINTS", str(tiny_checkpoint_folder.parent))
        patch.setenv("VAEAD_SHIPPED", "off")
        yield tiny_checkpoint_folder.parent


@pytest.fixture(scope="module")
def address(checkpoints):
    """Of a server of the app with the tiny checkpoint."""
    with served() as address:
        yield address


@pytest.fixture(scope="session")
def brain_volume() -> Volume:
    """A synthetic brain with a bright ball in its right hemisphere (RAS+: larger i)."""
    brain = synthetic_brain(7, 0, 40.0)
    i, j, k = np.indices(brain.data.shape)
    ball = (i - 78) ** 2 + (j - 62) ** 2 + (k - 44) ** 2 < 25
    data = np.where(ball & (brain.data > 0), brain.data.max() * 1.2, brain.data).astype(np.float32)
    return Volume(data, brain.affine, "phantom")


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        yield browser
        browser.close()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--acceptance", action="store_true", help="write docs/acceptance.md from the tests marked `shows`")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--acceptance"):
        config.pluginmanager.register(Acceptance())
