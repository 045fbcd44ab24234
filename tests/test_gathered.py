import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from models import build
from tests.support.trainings import tiny
from training import data, gathered, processes
from training.data import load_data
from training.gathered import InMemory, OnDisk, gathering
from training.loop import Training
from training.resident import Resident
from training.vae_task import VAETask
from vaead_core.scans.slice_grid import SliceGrid
from vaead_core.scans.volume import Slices

ROOT = Path(__file__).resolve().parents[1]
GRID = SliceGrid(2)


def scan(count, seed):
    rng = np.random.default_rng(seed)
    pixels = rng.normal(0, 1 / 3, (count, 8, 8)).clip(-1, 1).astype(np.float32)
    return Slices(pixels, rng.random((count, 8, 8)) > 0.5, np.arange(count) + seed)


@pytest.mark.parametrize("at_once", [1 << 24, 100])
def test_slices_on_disk_are_those_in_memory_in_any_order(at_once, tmp_path, monkeypatch):
    monkeypatch.setattr(gathered, "AT_ONCE", at_once)
    places = InMemory(), OnDisk(tmp_path)
    for place in places:
        for seed, count in enumerate((5, 1, 3, 4)):
            place.add(scan(count, seed))
            place.together([0])
    for scans in ([2, 0, 3], [1]):
        ours, theirs = (place.together(scans) for place in reversed(places))
        assert ours.digest == theirs.digest
        assert (ours.pixels.dtype, ours.mask.dtype) == (np.float32, np.bool_)
    assert isinstance(ours.pixels.base, np.memmap)
    assert not list(tmp_path.iterdir()), "the files have no name"
    places[1].close()
    assert np.array_equal(ours.pixels, scan(1, 1).pixels), "what was put together stays"


@pytest.mark.parametrize(("left", "place"), [(4.1, InMemory), (3.9, OnDisk)])
def test_slices_lie_in_memory_where_they_fit_twice_into_half_of_what_is_left(left, place, tmp_path, monkeypatch):
    monkeypatch.setattr(gathered, "memory_left", lambda: int(left * 2 * 10 * GRID.depth * 96 * 96 * 5))
    assert isinstance(gathering(10, GRID, 2, tmp_path), place)
    assert isinstance(gathering(5, GRID, 4, tmp_path), place)


def test_who_is_killed_leaves_nothing_on_disk(tmp_path):
    code = (
        "import os, sys; from pathlib import Path; from tests.test_gathered import OnDisk, scan\n"
        "disk = OnDisk(Path(sys.argv[1])); disk.add(scan(5, 0)); slices = disk.together([0]); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert not list(tmp_path.iterdir())


class StopError(Exception):
    pass


def trained(out, cohort, stop_after=None):
    """The weights of a short training, which ends with an error after an epoch."""
    config, fabric = processes.launch(tiny(out, epochs=2, steps_per_epoch=2))
    torch.manual_seed(0)
    training = Training(fabric, config, build(config.architecture.to_dict()))

    def log(row):
        if row["epoch"] == stop_after:
            raise StopError

    network, history = training.finish(VAETask(config, cohort, fabric.device), log)
    return network.state_dict(), history


@pytest.fixture(scope="module")
def cohorts(tmp_path_factory):
    """The same one in memory and on disk, prepared once."""
    folder = tmp_path_factory.mktemp("disk")
    config = tiny(folder / "model", data="synthetic:3")
    ready = list(data.prepare(data.open_cohort(config.data).subjects, config.preprocessor))
    found = []
    for left in (1 << 62, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(gathered, "memory_left", lambda left=left: left)
            patch.setattr(data, "prepare", lambda *_: iter(ready))
            found.append(load_data(config))
    assert not list(folder.iterdir())
    return found


def test_a_cohort_on_disk_is_the_one_in_memory(cohorts):
    memory, disk = cohorts
    for name in ("train", "validation", "test"):
        ours, theirs = getattr(disk, name), getattr(memory, name)
        assert ours.slices.digest == theirs.slices.digest
        assert isinstance(ours.slices.pixels.base, np.memmap)
        assert (ours.names, ours.ages, ours.quality) == (theirs.names, theirs.ages, theirs.quality)
        np.testing.assert_array_equal(ours.subject, theirs.subject)


def test_a_device_is_given_the_same_rounded_images_from_disk_as_from_memory(cohorts):
    rows = torch.tensor([3, 1, 7])
    ours, theirs = (Resident(cohort.train.slices, torch.device("meta")).fetch(rows) for cohort in reversed(cohorts))
    assert ours.pixels.dtype == torch.float16
    assert torch.equal(ours.pixels, theirs.pixels)
    assert torch.equal(ours.mask, theirs.mask)


def test_a_training_from_disk_comes_to_the_weights_of_one_from_memory_also_when_it_is_resumed(cohorts, tmp_path):
    memory, disk = cohorts
    weights, history = trained(tmp_path / "memory", memory)
    with pytest.raises(StopError):
        trained(tmp_path / "broken", disk, stop_after=1)
    for out in ("disk", "broken"):
        ours, told = trained(tmp_path / out, disk)
        assert told == history
        assert all(torch.equal(ours[name], weights[name]) for name in weights)
