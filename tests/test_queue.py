"""Turns with real threads: how many at once, in which order, and what becomes of those who leave."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pages.shared.server import queue
from tests.support.waiting import PATIENCE_SECONDS, until

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def one_at_once(monkeypatch):
    monkeypatch.setattr(queue, "MOST", 1)
    monkeypatch.setattr(queue, "_LOOK_SECONDS", 0.02)
    yield
    assert queue._line == queue._quick_line == []


def in_thread(work, *arguments) -> threading.Thread:
    thread = threading.Thread(target=work, args=arguments, daemon=True)
    thread.start()
    return thread


def join_in_order(count: int, work) -> list[threading.Thread]:
    """`count` threads that do work(number) and join the line one after the other; this thread holds the first turn."""
    threads = []
    for number in range(count):
        threads.append(in_thread(work, number))
        for _ in range(1000):
            if len(queue._line) == number + 2:
                break
            threading.Event().wait(0.01)
        assert len(queue._line) == number + 2
    return threads


@pytest.mark.parametrize("most", [1, 3])
def test_no_more_than_the_most_compute_at_once(monkeypatch, most):
    monkeypatch.setattr(queue, "MOST", most)
    now, highest, counting, all_in = [0], [0], threading.Lock(), threading.Barrier(most)

    def work() -> None:
        with queue.turn():
            with counting:
                now[0] += 1
                highest[0] = max(highest[0], now[0])
            all_in.wait(PATIENCE_SECONDS)  # as many as may do compute at once
            with counting:
                now[0] -= 1

    threads = [in_thread(work) for _ in range(most * 3)]
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert highest == [most]
    assert now == [0]


def test_first_come_first_served():
    served = []

    def work(number: int) -> None:
        with queue.turn():
            served.append(number)

    with queue.turn():
        threads = join_in_order(4, work)
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert served == [0, 1, 2, 3]


def test_what_takes_a_moment_waits_for_no_scan_but_for_others_that_do():
    served = []

    def work(number: int, quick: bool) -> None:
        with queue.turn(quick):
            served.append(number)

    with queue.turn():
        scan = in_thread(work, 0, False)
        until(lambda: len(queue._line) == 2)
        in_thread(work, 1, True).join(PATIENCE_SECONDS)
        assert served == [1]
        with queue.turn(quick=True):  # in the turn that this thread has
            assert queue._quick_line == []
    scan.join(PATIENCE_SECONDS)
    with queue.turn(quick=True):
        moment = in_thread(work, 2, True)
        until(lambda: len(queue._quick_line) == 2)
        in_thread(work, 3, False).join(PATIENCE_SECONDS)
        assert served == [1, 0, 3]
    moment.join(PATIENCE_SECONDS)
    assert served == [1, 0, 3, 2]


@pytest.mark.parametrize("quick", [False, True])
def test_a_turn_within_a_turn_is_the_same(quick):
    with queue.turn(quick), queue.turn(), queue.turn(quick=True):
        assert len(queue._line) + len(queue._quick_line) == 1


def test_whoever_fails_gives_the_turn_back():
    with pytest.raises(ZeroDivisionError), queue.turn():
        raise ZeroDivisionError
    assert queue._line == []


def test_whoever_leaves_the_line_is_not_waited_for():
    class Place:
        """Of a page whose reader leaves while it waits."""

        def info(self, sentence: str) -> None:
            assert sentence == queue.NEXT
            raise InterruptedError

        def empty(self) -> None: ...

    left, served = [], []

    def leave(number: int) -> None:
        try:
            with queue._within(Place()), queue.turn():
                served.append("left")
        except InterruptedError:
            left.append(number)

    with queue.turn():
        in_thread(leave, 0).join(PATIENCE_SECONDS)
        assert left == [0]
        assert len(queue._line) == 1
    assert served == []


def test_a_reader_is_told_how_many_come_before():
    assert queue.sentence(1) == "Another scan is being computed; yours is next."
    assert queue.sentence(3) == "3 other scans are computed before yours; it follows by itself."
    assert queue.sentence(1, quick=True) == "Another reader's pictures are being computed; yours are next."
    assert queue.sentence(2, quick=True) == "The pictures of 2 other readers come first; yours follow by themselves."


@pytest.mark.parametrize("threads", ["1", "5"])
def test_as_many_compute_at_once_as_an_inference_has_threads(threads):
    code = "from pages.shared.server import queue; print(queue.MOST)"
    environment = os.environ | {"OMP_NUM_THREADS": threads}
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == threads
