"""Turns: at most MOST pages compute a scan at once on this server, and as many what takes a moment, such as a toy; the others
wait, first come, first served, and say so.

    with queue.page():                  # what is computed in it takes one turn, if anything must be computed at all
        maps = cached.scored(...)

A run of a page is one as a whole, in app.py: for a second turn it would be the last in line again. Its first computation says in
which of the two lines; what begins with a moment and meets more keeps its turn, as others may wait for what it has begun. Within
the run, `page` says where the page tells what it waits for.
"""  # fmt: skip

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from vaead_core.computing.machine import threads

MOST = threads()
NEXT = "Another scan is being computed; yours is next."
QUICK_NEXT = "Another reader's pictures are being computed; yours are next."
_LOOK_SECONDS = 0.5

_line: list[object] = []  # in the order in which they came; the first MOST have their turn
_quick_line: list[object] = []  # the same of those whom nobody shall keep waiting for a scan
_moved = threading.Condition()
_here = threading.local()


@dataclass
class _Turn:
    """place: where its page says what it waits for; None where nothing can be said."""

    place: DeltaGenerator | None
    ticket: object = field(default_factory=object)
    line: list[object] | None = None

    def listen(self) -> None:
        """Ends the run of a page here if its reader has left or asked for another."""
        if self.place:
            self.place.empty()

    def take(self, quick: bool) -> None:
        """Returns when it is its turn, which it then keeps."""
        line = _quick_line if quick else _line
        with _moved:
            line.append(self.ticket)
        self.line = line
        while ahead := _ahead(self.ticket, line):
            if self.place:
                self.place.info(sentence(ahead, quick))
            with _moved:
                _moved.wait_for(partial(_is_nearer, self.ticket, line, ahead), _LOOK_SECONDS)
        self.listen()

    def leave(self) -> None:
        """Gives its turn back, where it has one."""
        if self.line is not None:
            with _moved:
                self.line.remove(self.ticket)
                _moved.notify_all()


def sentence(ahead: int, quick: bool = False) -> str:
    """What a reader is told while so many come before. quick: who waits for a moment's work, not for scans."""
    if quick:
        return QUICK_NEXT if ahead == 1 else f"The pictures of {ahead} other readers come first; yours follow by themselves."
    return NEXT if ahead == 1 else f"{ahead} other scans are computed before yours; it follows by itself."


@contextmanager
def page() -> Iterator[None]:
    """Whatever is computed in it takes one turn together, from the first computation to the end of the outermost."""
    with _within(st.empty()):
        yield


@contextmanager
def turn(quick: bool = False) -> Iterator[None]:
    """For a computation: in its page's turn, and outside of `page` in one of its own, of which nothing is said. quick: of some
    tenths of a second."""
    with _within(None) as mine:
        mine.listen()
        if mine.line is None:
            mine.take(quick)
        yield


def listen() -> None:
    """For what waits in a turn: takes the turn back if its page's reader has left or asked for another."""
    if known := getattr(_here, "turn", None):
        known.listen()


@contextmanager
def _within(place: DeltaGenerator | None) -> Iterator[_Turn]:
    """The turn of this thread; a new one where it has none."""
    if known := getattr(_here, "turn", None):
        before, known.place = known.place, place or known.place
        try:
            yield known
        finally:
            known.place = before
        return
    _here.turn = _Turn(place)
    try:
        yield _here.turn
    finally:
        _here.turn.leave()
        _here.turn = None


def _is_nearer(ticket: object, line: list[object], known: int) -> bool:
    return _ahead(ticket, line) < known


def _ahead(ticket: object, line: list[object]) -> int:
    return max(0, line.index(ticket) - MOST + 1)
