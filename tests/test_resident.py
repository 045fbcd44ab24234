import threading

import pytest
import torch

from tests.support.trainings import tiny
from tests.support.waiting import PATIENCE_SECONDS
from training import resident
from training.companion_tasks import TASKS, OnSlices
from training.config import Augmentation
from training.processes import Share
from training.randomness import generator
from training.resident import Resident, ahead
from training.vae_task import VAETask

ROWS = torch.tensor([3, 1, 7])
needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device is at hand")


def test_a_processor_trains_on_the_images_themselves(thin_cohort):
    slices = thin_cohort.train.slices
    held = Resident(slices, torch.device("cpu"))
    pixels, mask = held.take(held.fetch(ROWS))
    assert torch.equal(pixels[:, 0], torch.from_numpy(slices.pixels)[ROWS])
    assert torch.equal(mask[:, 0], torch.from_numpy(slices.mask)[ROWS])
    assert held._pixels.data_ptr() == slices.pixels.ctypes.data, "they are held once"


@pytest.mark.parametrize("free", [3, 1])
def test_images_lie_on_a_device_that_has_twice_the_room_and_else_beside_it(free, thin_cohort, monkeypatch):
    slices = thin_cohort.train.slices
    monkeypatch.setattr(resident, "free_memory", lambda device: free * (slices.pixels.nbytes // 2 + slices.mask.nbytes))
    held = Resident(slices, torch.device("meta"))
    fetched = held.fetch(ROWS)
    assert held.on_device == (free == 3)
    assert (fetched.rows is None) == (free == 1)
    assert {part.device.type for part in held.take(fetched)} == {"meta"}
    if not held.on_device:
        assert fetched.pixels.dtype == torch.float16
        assert (fetched.pixels.float() - torch.from_numpy(slices.pixels)[ROWS, None]).abs().max() < 2**-11


def test_images_are_moved_some_at_a_time_and_all_of_them(thin_cohort, monkeypatch):
    monkeypatch.setattr(resident, "MOVED_AT_ONCE", 8)
    images = torch.from_numpy(thin_cohort.train.slices.pixels)[:, None]
    assert len(images) % 8
    assert torch.equal(resident._moved(images, torch.float16, torch.device("cpu")), images.half())


@needs_cuda
@pytest.mark.parametrize("free", [1 << 40, 0])
def test_a_card_trains_on_the_same_images_in_half_precision(free, thin_cohort, monkeypatch):
    monkeypatch.setattr(resident, "free_memory", lambda device: free)
    held, here = (Resident(thin_cohort.train.slices, torch.device(name)) for name in ("cuda", "cpu"))
    pixels, mask = held.take(held.fetch(ROWS).pinned())
    assert pixels.is_cuda
    assert pixels.dtype == torch.float32
    torch.testing.assert_close(pixels.cpu(), here.take(here.fetch(ROWS))[0], atol=2**-11, rtol=0)
    assert torch.equal(mask.cpu(), here.take(here.fetch(ROWS))[1])


def test_what_is_prepared_ahead_comes_in_order_and_while_others_work():
    begun = [threading.Event() for _ in range(6)]

    def work(item):
        begun[item].set()
        return item * item

    found = []
    for square in ahead(work, range(6), 2):
        later = len(found) + 2
        assert later > 5 or begun[later].wait(PATIENCE_SECONDS), "the next two are begun before this one is used"
        found.append(square)
    assert found == [0, 1, 4, 9, 16, 25] == list(ahead(work, range(6), 0))


def test_an_error_of_what_is_prepared_ahead_is_not_lost():
    with pytest.raises(ZeroDivisionError):
        list(ahead(lambda item: 1 // item, [1, 0, 2], 2))


@pytest.mark.parametrize("images", ["slices", "patches"])
def test_an_example_is_made_where_it_is_trained_on(images, thin_cohort, tmp_path):
    architecture = {"image_size": 32} if images == "patches" else {}
    config = tiny(tmp_path, images=images, augmentation=Augmentation(coarse_noise=0.5, curve=0.3, blur_pixels=0.4, noise=0.03))
    config = config.model_copy(update={"architecture": config.architecture.model_copy(update=architecture)})
    task = VAETask(config, thin_cohort, torch.device("meta"))
    example = task.example(task.fetch(torch.arange(16), Share()), task.draw(16, generator(0)), Share())
    assert {part.device.type for part in example} == {"meta"}
    assert {len(part) for part in example} == {16}


def test_a_companions_example_has_a_slice_a_row(thin_cohort, tiny_checkpoint):
    task = OnSlices(TASKS["restorer"](tiny_checkpoint.model), Augmentation(), thin_cohort, torch.device("cpu"))
    planes, target, mask = task.example(task.fetch(ROWS, Share()), task.draw(3, generator(0)), Share())
    assert [len(part) for part in (planes, target, mask)] == [3, 3, 3]
    assert not target[mask == 0].any()
