"""Work in a thread of the server, step by step: what it tells, how it ends, and that pages come in between."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from pages.shared.server import jobs, memory, queue, stepwise, streamlit_private
from pages.shared.server.stepwise import Stepwise
from tests.support.waiting import until
from vaead_core.errors import InputError


def begun(steps: Iterator[int], of: int = 4) -> Stepwise[int]:
    return Stepwise("Counting", steps, lambda done: done / of)


def state_at_the_end(work: Stepwise) -> str:
    until(lambda: work.state != jobs.RUNNING)
    return work.state


def endless(steps: threading.Semaphore) -> Iterator[int]:
    """A step for each release."""
    done = 0
    while True:
        steps.acquire()
        done += 1
        yield done


def test_it_tells_what_its_last_step_gave_and_that_all_is_done():
    states: list[str] = []
    work = Stepwise("Counting", iter([1, 2, 4]), lambda done: done / 4, states.append)
    assert state_at_the_end(work) == jobs.FINISHED
    until(lambda: states == [jobs.FINISHED])
    assert (work.latest, work.share) == (4, 1.0)
    elapsed = work.elapsed
    time.sleep(0.05)
    assert work.elapsed == elapsed


def test_after_cancel_no_step_is_begun_and_what_was_known_stays():
    given = threading.Semaphore(1)
    work = begun(endless(given))
    until(lambda: work.latest == 1)
    work.cancel()
    given.release()
    assert state_at_the_end(work) == jobs.CANCELLED
    assert work.latest <= 2, "the step that was being taken"


def test_each_step_takes_a_turn_of_its_own(monkeypatch):
    monkeypatch.setattr(queue, "MOST", 1)
    given = threading.Semaphore(0)
    work = begun(endless(given))
    until(lambda: len(queue._line) == 1)
    with queue._moved:
        queue._line.append(mine := object())
    given.release()
    until(lambda: queue._line[0] is mine)  # whoever waited comes between two steps
    assert work.latest == 1
    with queue._moved:
        queue._line.remove(mine)
        queue._moved.notify_all()
    work.cancel()
    given.release()
    assert state_at_the_end(work) == jobs.CANCELLED
    assert not queue._line


def test_it_ends_when_its_reader_has_left(monkeypatch):
    monkeypatch.setattr(stepwise, "AWAY_SECONDS", 0.2)
    monkeypatch.setattr(streamlit_private, "session", lambda: "reader")
    here = threading.Event()
    here.set()
    monkeypatch.setattr(streamlit_private, "is_open", lambda session: here.is_set())

    def steps() -> Iterator[int]:
        while True:
            time.sleep(0.02)
            yield 1

    work = begun(steps())
    time.sleep(0.5)
    assert work.state == jobs.RUNNING
    here.clear()
    assert state_at_the_end(work) == jobs.CANCELLED


def refused() -> None:
    raise InputError("Too little memory.")


def test_what_memory_has_no_room_for_is_one_sentence(monkeypatch):
    monkeypatch.setattr(memory, "refuse_when_short", refused)
    work = begun(iter([1]))
    assert state_at_the_end(work) == jobs.FAILED
    assert work.last_sentence == "Too little memory."
    assert not queue._line, "its turn is given back"


def broken() -> Iterator[int]:
    yield 1
    raise RuntimeError("a mistake")


def test_a_mistake_of_the_programs_is_said_too(capsys):
    work = begun(broken())
    assert state_at_the_end(work) == jobs.FAILED
    assert work.last_sentence == ("vaead failed here as nobody foresaw (RuntimeError); please tell whoever runs this server.")
    assert "a mistake" in capsys.readouterr().err
    assert work.latest == 1


@pytest.mark.parametrize("ended", [iter([]), iter([4])])
def test_cancel_of_what_has_ended_changes_nothing(ended):
    work = begun(ended)
    assert state_at_the_end(work) == jobs.FINISHED
    work.cancel()
    work.end()
    assert (work.state, work.cancelling) == (jobs.FINISHED, False)
