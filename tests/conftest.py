"""What several tests share: a tiny trained checkpoint and its cohort, a phantom. A test's lane is the folder that it lies in."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from tests.support.acceptance import Acceptance
from tests.support.trainings import tiny, untrained
from training.data import TrainingData, load_data
from training.publish import republish
from training.run import train
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.cohorts.synthetic import synthetic_brain
from vaead_core.inference.vae import FURTHER
from vaead_core.scans.volume import Volume

TESTS = Path(__file__).parent


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


@pytest.fixture(scope="session")
def brain_volume() -> Volume:
    """A synthetic brain with a bright ball in its right hemisphere (RAS+: larger i)."""
    brain = synthetic_brain(7, 0, 40.0)
    i, j, k = np.indices(brain.data.shape)
    ball = (i - 78) ** 2 + (j - 62) ** 2 + (k - 44) ** 2 < 25
    data = np.where(ball & (brain.data > 0), brain.data.max() * 1.2, brain.data).astype(np.float32)
    return Volume(data, brain.affine, "phantom")


def lane(test: Path) -> str:
    """That of a test's file."""
    folder = test.relative_to(TESTS).parts[0]
    return folder if folder in ("browser", "system") else "fast"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(lane(item.path))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--acceptance", action="store_true", help="write docs/acceptance.md from the tests marked `shows`")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--acceptance"):
        config.pluginmanager.register(Acceptance())
