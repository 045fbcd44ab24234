"""Uploads stay in memory, no longer than they are open, and only where a page asked for them: what Streamlit by itself leaves to
the disk and to whoever sends."""  # fmt: skip

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass, field

from pages.shared.server import memory, streamlit_private
from vaead_core.errors import InputError

PATIENCE_SECONDS = 30.0  # a browser names a file, or the last of several, as soon as it is there
BYTES_A_BYTE = 3  # of a file on its way in: as it comes, as it is read, as it is kept
_SPARE = 1  # of two files in one place: the new one is there before the old one is let go


@dataclass
class _Session:
    """asked: by the widgets of its page, how many files each takes. given: addresses that no file has come to. coming: those to
    which one is on its way. named: those that its browser has told a page of. last: when one came."""  # fmt: skip

    page: str = ""
    asked: dict[str, int] = field(default_factory=dict)
    given: set[str] = field(default_factory=set)
    coming: set[str] = field(default_factory=set)
    named: set[str] = field(default_factory=set)
    last: float = 0.0


_sessions: defaultdict[str, _Session] = defaultdict(_Session)
_changing = threading.RLock()


def keep_in_memory() -> None:
    """On its way in, a file of more than 1 MB would lie on the server's disk, and be refused where that is full."""
    streamlit_private.hold_uploads_in_memory(1 << 30)  # Streamlit ends an upload at server.maxUploadSize
    streamlit_private.watch_uploads(_give, _taking, _name)


def begin_page() -> None:
    """Drops what the page before had asked for, once its reader is on another."""
    here, page = streamlit_private.session(), streamlit_private.page()
    with _changing:
        if here and _sessions[here].page != page:
            drop(streamlit_private.uploads_of(here))
            _sessions[here].page, _sessions[here].asked = page, {}


def expect(key: str, most: int = 1) -> None:
    """Takes as many files as the widget `key`, which the page is about to draw, can have."""
    if here := streamlit_private.session():
        with _changing:
            _sessions[here].asked[key] = most


def drop(known: set[str], besides: Set[str] = frozenset()) -> set[str]:
    """Drops the files of this session that are `known`, all but some, whether or not its browser asks for that.

    Returns those that are there now, to be known the next time: what has arrived since may be what the browser is about to
    announce in the place of another one.
    """
    here = streamlit_private.session()
    if not here:
        return set()
    for sent in known - besides:
        streamlit_private.remove_upload(here, sent)
    return streamlit_private.uploads_of(here)


def drop_unnamed() -> None:
    """Drops what nobody spoke of, of every session."""
    dropped = False
    with _changing:
        for session, one in list(_sessions.items()):
            here = streamlit_private.is_open(session)  # what was left is dropped with its session
            if not here and not one.asked:
                forget(session)
            if not here or one.coming or time.monotonic() - one.last < PATIENCE_SECONDS:
                continue
            for file in streamlit_private.uploads_of(session) - one.named:
                streamlit_private.remove_upload(session, file)
                dropped = True
    if dropped:
        memory.give_back()


def forget(session: str) -> None:
    """When it has ended."""
    with _changing:
        _sessions.pop(session, None)


def _give(session: str, files: set[str]) -> None:
    with _changing:
        _sessions[session].given = (_sessions[session].given | files) if len(_sessions[session].given) < 1000 else files


def _name(session: str, files: set[str]) -> None:
    with _changing:
        _sessions[session].named = files


@contextmanager
def _taking(session: str, file: str, size: int) -> Iterator[None]:
    """Before the first byte is taken, until the last. Raises InputError."""
    with _changing:
        one = _sessions[session]
        there = len(streamlit_private.uploads_of(session)) + len(one.coming)
        if file not in one.given or there >= sum(one.asked.values()) + (_SPARE if one.asked else 0):
            raise InputError("No page asked for this file; choose it on a page.")
        coming = sum(len(other.coming) for other in _sessions.values())
        memory.refuse_to_take(BYTES_A_BYTE * size * (1 + coming))
        one.given.discard(file)
        one.coming.add(file)
    try:
        yield
    finally:
        with _changing:
            one.coming.discard(file)
            one.last = time.monotonic()
