"""What several tests share: a tiny trained checkpoint and its cohort, a phantom. A test's lane is the folder that it lies in."""

import functools
import hashlib
import io
import os
import pickle
import shutil
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

if "PYTEST_XDIST_WORKER" in os.environ:  # as many of these as cores: a thread each, before numpy and torch count them
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# Where a brain lies is found once for all processes, those that tests start too.
os.environ.setdefault("VAEAD_PLACEMENTS", str(Path(__file__).parents[1] / ".pytest_cache" / "placements"))

import numpy as np
import pytest
from streamlit.components.v2 import manifest_scanner
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from tests.support.acceptance import Acceptance
from tests.support.heads import head_around
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.checkpoints.site import Site
from vaead_core.cohorts.synthetic import synthetic_brain
from vaead_core.computing.code import code_digest
from vaead_core.computing.remembered import remembered
from vaead_core.computing.whole_file import write_whole
from vaead_core.scans import stripping
from vaead_core.scans.volume import Volume

TESTS = Path(__file__).parent
# In this order, the longest first: a browser's process makes `shared` for all, of which the next ones need nothing. Then others.
FIRST = (
    *("browser", "test_preprocessing.py", "test_synthetic_study.py", "test_lanes.py", "test_detectors.py", "test_export.py"),
    *("test_gathered.py", "test_registration.py", "test_synthetic.py", "test_examples.py"),
    *("system/test_registration.py", "system/test_stripping.py", "system/test_server_faults.py", "system/test_training.py"),
    *("system/test_followed_training.py", "system/test_training_faults.py", "system/test_publish.py", "system/test_fuzz.py"),
    *("system/test_hostile_networks.py", "system/test_many_users.py", "system/test_experiments.py", "system/test_processes.py"),
    *("system/test_wrong_inputs.py", "system/test_real_scans.py", "system/test_container.py"),
)


@pytest.fixture(scope="session")
def shared() -> Path:
    """What was made once for all; it must be left as it is."""
    from tests.support.made import is_whole, made  # torch, which not every test needs

    folder = made()
    yield folder
    assert is_whole(folder), "a test changed what all of them share; let it copy the checkpoint"


@pytest.fixture(scope="session")
def tiny_cohort(shared):
    """What `tiny` trains on."""
    return pickle.loads((shared / "cohort.pickle").read_bytes())


@pytest.fixture(scope="session")
def tiny_cohort_file(shared) -> Path:
    """The same as a pickle, for processes that a test starts."""
    return shared / "cohort.pickle"


@pytest.fixture(scope="session")
def thin_cohort(shared):
    """A fourth of its slices, for trainings whose maps nobody looks at."""
    return pickle.loads((shared / "thin.pickle").read_bytes())


@pytest.fixture(scope="session")
def thin_cohort_file(shared) -> Path:
    """The same as a pickle."""
    return shared / "thin.pickle"


@pytest.fixture(scope="session")
def tiny_checkpoint_folder(shared) -> Path:
    """What the shared training came to."""
    return shared / "checkpoints" / "tiny"


@pytest.fixture(scope="session")
def tiny_checkpoint(tiny_checkpoint_folder) -> Checkpoint:
    return Checkpoint.load(tiny_checkpoint_folder)


@pytest.fixture(scope="session")
def tiny_site(shared, tiny_checkpoint) -> Site:
    """Of a scanner with more contrast."""
    return Site.read(shared / "site.npz", tiny_checkpoint)


@pytest.fixture(scope="session")
def few_checkpoint_folder(shared) -> Path:
    """The tiny checkpoint, calibrated for few scorers."""
    return shared / "few" / "tiny"


@pytest.fixture(scope="module")
def tiny_study(shared, tmp_path_factory) -> Path:
    """A dataset with results in derivatives/vaead, to be changed by who asks."""
    return shutil.copytree(shared / "study", tmp_path_factory.mktemp("data") / "study")


@pytest.fixture(scope="module")
def checkpoints(tiny_checkpoint_folder):
    """The folder of the tiny checkpoint alone, where pages and servers find theirs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAEAD_CHECKPOINTS", str(tiny_checkpoint_folder.parent))
        patch.setenv("VAEAD_SHIPPED", "off")
        yield tiny_checkpoint_folder.parent


@pytest.fixture(scope="session")
def address(tiny_checkpoint_folder):
    """Of a server of the app with the tiny checkpoint: one for all tests of a process."""
    from tests.support.server import served  # playwright, which not every system has

    with served(env=os.environ | {"VAEAD_CHECKPOINTS": str(tiny_checkpoint_folder.parent), "VAEAD_SHIPPED": "off"}) as address:
        yield address


@pytest.fixture(scope="session")
def browser():
    """Opens tabs, each test its own, all of a reader who wants no animations, a tenth of a load; they share the app's scripts."""
    from playwright.sync_api import expect, sync_playwright

    from tests.support.server import chromium
    from tests.support.waiting import PATIENCE_SECONDS, count_runs

    expect.set_options(timeout=1000 * PATIENCE_SECONDS)
    with sync_playwright() as driver:
        browser = chromium(driver)
        window = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
        window.set_default_timeout(1000 * PATIENCE_SECONDS)
        count_runs(window)
        yield window
        browser.close()


@pytest.fixture(scope="session")
def brain_volume() -> Volume:
    """A synthetic brain with a bright ball in its right hemisphere (RAS+: larger i)."""
    brain = synthetic_brain(7, 0, 40.0)
    i, j, k = np.indices(brain.data.shape)
    ball = (i - 78) ** 2 + (j - 62) ** 2 + (k - 44) ** 2 < 25
    data = np.where(ball & (brain.data > 0), brain.data.max() * 1.2, brain.data).astype(np.float32)
    return Volume(data, brain.affine, "phantom")


@pytest.fixture(scope="session")
def head(brain_volume) -> tuple[Volume, np.ndarray]:
    """A head around it, and the brain's mask in it."""
    return head_around(brain_volume)


@pytest.fixture(scope="session", autouse=True)
def extracted_once():
    """The brain of a head is extracted once for all processes, which takes 5 s; `stripping` itself forgets it."""
    folder = TESTS.parent / ".pytest_cache" / "extracted"
    folder.mkdir(parents=True, exist_ok=True)
    code = f"{code_digest()} {version('onnxruntime')}"

    def content(scan: Volume) -> bytes:
        return hashlib.sha256(np.ascontiguousarray(scan.data)).digest() + f"{scan.data.dtype} {scan.data.shape} {code}".encode()

    def file(key: bytes) -> Path:
        return folder / f"{hashlib.sha256(key).hexdigest()[:32]}.npy"

    def find(key: bytes) -> np.ndarray | None:
        return np.load(file(key)) if file(key).exists() else None

    def keep(key: bytes, mask: np.ndarray) -> None:
        with io.BytesIO() as kept:
            np.save(kept, mask)
            write_whole(file(key), kept.getvalue())

    def extracted(scan: Volume) -> np.ndarray:
        mask = once(scan)
        mask.setflags(write=False)  # as the next test has the same
        return mask

    once = remembered(content, 8, find, keep)(stripping.brain_mask)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stripping, "brain_mask", extracted)
        yield


@pytest.fixture(scope="session", autouse=True)
def searched_once():
    """Each run of AppTest looks through all packages for components: a fifth of a second, for the same ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", functools.cache(manifest_scanner.scan_component_manifests))
        yield


def lane(test: Path) -> str:
    """That of a test's file."""
    folder = test.relative_to(TESTS).parts[0]
    return folder if folder in ("browser", "system") else "fast"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {name: place for place, name in enumerate(FIRST)}
    items.sort(key=lambda item: places.get(_together(item.nodeid), len(FIRST)))
    for item in items:
        item.add_marker(lane(item.path))


def _together(nodeid: str) -> str:
    """What one process runs as a whole: a file of tests/, or all of a browser's."""
    file = nodeid.partition("::")[0].removeprefix("tests/")
    return "browser" if lane(TESTS / file) == "browser" else file


class ByFile(LoadFileScheduling):
    """And all of tests/browser/ in one process: a further server and browser compute again what the first one keeps."""

    _split_scope = staticmethod(_together)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    return ByFile(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A browser's failed test says what its pages showed."""
    report = yield
    if report.failed and (window := item.funcargs.get("browser")):
        from tests.support.waiting import seen

        report.sections += [(f"page {page.url}", seen(page)) for page in window.pages]
    return report


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--acceptance", action="store_true", help="write docs/acceptance.md from the tests marked `shows`")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--acceptance"):
        config.pluginmanager.register(Acceptance())
