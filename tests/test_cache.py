import threading
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from pages.shared.server import cache as store
from pages.shared.server import memory
from pages.shared.server.cache import bytes_of, cached, forget_all, kept, kept_bytes
from tests.support.waiting import PATIENCE_SECONDS
from vaead_core.errors import InputError
from vaead_core.scans.volume import Slices

MB = 1 << 20


@pytest.fixture(autouse=True)
def an_empty_store(monkeypatch):
    monkeypatch.setattr(store, "_kept", type(store._kept)())
    monkeypatch.setattr(store, "_dropped", type(store._dropped)())
    monkeypatch.setattr(store, "MOST_BYTES", 10 * MB)


@cached
def zeros(name: str, megabytes: int, _made: list) -> np.ndarray:
    _made.append(name)
    return np.zeros(megabytes * MB, np.uint8)


def test_a_result_is_computed_once():
    made = []
    assert zeros("a", 1, made) is zeros("a", megabytes=1, _made=[])
    zeros("a", 2, made)
    assert made == ["a", "a"]


def test_bytes_are_bounded_and_the_least_used_goes_first():
    made = []
    for name in "abc":
        zeros(name, 3, made)
    zeros("a", 3, made)
    zeros("d", 4, made)
    assert kept_bytes() == 10 * MB
    for name in "acd":
        zeros(name, 4 if name == "d" else 3, made)
    assert made == list("abcd"), "b was used least"


def test_what_somebody_still_holds_is_found_though_there_was_no_room_to_keep_it():
    made = []
    held = zeros("a", 4, made)
    for name in "bcd":
        zeros(name, 4, made)
    assert sum(one is held for one in kept(zeros)) == 1
    assert zeros("a", 4, made) is held
    assert made == list("abcd")
    assert kept_bytes() == 8 * MB
    forget_all("a")
    assert zeros("a", 4, made) is not held


def test_a_result_larger_than_the_bound_is_kept_alone():
    for name, size in (("a", 3), ("b", 20), ("c", 1)):
        zeros(name, size, [])
    assert kept_bytes() == MB


def test_many_results_never_exceed_the_bound():
    for number in range(200):
        zeros(f"scan {number}", 1 + number % 5, [])
        assert kept_bytes() <= 10 * MB


def test_two_who_ask_for_the_same_compute_it_once():
    begun, made, go_on = threading.Event(), [], threading.Event()

    @cached
    def slow(name: str) -> str:
        made.append(name)
        begun.set()
        assert go_on.wait(PATIENCE_SECONDS)
        return name

    found = []
    threads = [threading.Thread(target=lambda: found.append(slow("a"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert begun.wait(PATIENCE_SECONDS)
    go_on.set()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert (found, made) == (["a", "a"], ["a"])


def test_what_failed_is_tried_again():
    tries = []

    @cached
    def late(name: str) -> str:
        tries.append(name)
        if len(tries) == 1:
            raise InputError("Not yet.")
        return name

    with pytest.raises(InputError):
        late("a")
    assert late("a") == "a"


def test_all_of_a_scan_is_forgotten_and_no_more():
    made = []

    @cached
    def planted(keys: tuple[str, str], toys: tuple[int, ...]) -> int:
        made.append(keys)
        return 1

    zeros("scan", 1, made)
    planted(("scan", "checkpoint"), (1, 2))
    planted(("other", "checkpoint"), (1, 2))
    forget_all("scan")
    assert kept_bytes() == 64
    planted(("other", "checkpoint"), (1, 2))
    assert len(made) == 3
    assert kept(planted) == [1]


def test_bytes_are_those_of_arrays_texts_and_tables_wherever_they_lie():
    @dataclass(frozen=True)
    class Whole:
        parts: dict
        other: tuple

    images = np.zeros((2, 8, 8), np.float32)
    slices = Slices(images, np.ones((2, 8, 8), bool), np.zeros(2, np.int64))
    assert bytes_of(slices) == 4 * 128 + 128 + 16
    assert bytes_of(Whole({"a": slices, "b": b"12345"}, ("xy", [images]))) == bytes_of(slices) + 5 + 2 + 512
    assert bytes_of(pd.DataFrame({"a": np.zeros(1000)})) >= 8000


def test_memory_that_runs_short_is_taken_from_what_nobody_uses_and_then_from_what_is_kept(monkeypatch):
    zeros("a", 5, [])
    left = iter([memory.LEAST_BYTES - 1, memory.LEAST_BYTES])
    monkeypatch.setattr(memory, "memory_left", lambda: next(left))
    zeros("b", 1, [])
    assert kept_bytes() == 6 * MB
    left = iter([memory.LEAST_BYTES - 1] * 2 + [memory.LEAST_BYTES])
    zeros("c", 1, [])
    assert kept_bytes() == MB


def test_no_scan_is_refused_for_what_is_kept(monkeypatch):
    zeros("a", 5, [])
    monkeypatch.setattr(memory, "memory_left", lambda: 2_000_000_000 if kept_bytes() else 3_000_000_000)
    memory.refuse_to_score(60_000_000, "large.nii")
    assert kept_bytes() == 0


def test_without_any_memory_left_nothing_is_begun(monkeypatch):
    made = []
    monkeypatch.setattr(memory, "memory_left", lambda: 100_000_000)
    with pytest.raises(InputError, match=r"This server has 0\.1 GB of memory left, too little to compute; try again later\."):
        zeros("a", 1, made)
    assert made == []
