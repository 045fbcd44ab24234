"""What is one session's own ends with it: when its reader has been gone for a while, or the server ends; the latest first."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from types import ModuleType

import streamlit as st

from pages.shared.server import memory, streamlit_private, uploads
from vaead_core.errors import InputError

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows locks no folders: those of a killed server stay
    fcntl = None

ABANDONED_SECONDS = 110.0  # after two minutes a reader who comes back gets a new session from Streamlit
_LOOK_SECONDS = 1.0
_PREFIX = "vaead-session-"
# Anybody of the machine can put a name into the folder for temporary files: a link is not followed, and a pipe waits for nobody.
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)

_ends: dict[str, list[Callable[[], None]]] = {}
_away: dict[str, float] = {}  # seconds that its reader has been gone
_changing, _ending = threading.Lock(), threading.Lock()


def follow() -> None:
    """Notes that this session is here, so that all of it is given back when its reader has been gone for a while."""
    _remove_left_folders()
    if here := streamlit_private.session():
        _known(here)


def at_end(action: Callable[[], None]) -> None:
    """Calls `action` once, when this session has ended. Outside a server (a test, a script): when Python ends."""
    _known(streamlit_private.session()).append(action)


def folder(key: str) -> Path:
    """A folder of this session's own, as long as it lasts; `key` is its place in the session's state. Raises InputError."""
    if key not in st.session_state:
        try:
            own = TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True)
        except OSError as error:
            said = "The server has nowhere to put files of yours: its folder for temporary files is full or cannot be written to."
            raise InputError(f"{said} Tell whoever runs it.") from error
        let_go = _hold(own.name)
        st.session_state[key] = own
        at_end(partial(_give_back, own, let_go))
    return Path(st.session_state[key].name)


def _give_back(own: TemporaryDirectory[str], let_go: Callable[[], None]) -> None:
    own.cleanup()
    let_go()


def _hold(own: str) -> Callable[[], None]:
    """A lock on a folder, held as long as this server lives or until what is returned is called."""
    if fcntl is None:
        return lambda: None
    lock = os.open(own, _FOLDER)
    fcntl.flock(lock, fcntl.LOCK_SH)
    return partial(os.close, lock)


@cache
def _remove_left_folders() -> None:
    """Those of servers that were killed: nobody holds their locks. Whatever else has such a name is somebody else's."""
    if fcntl is None:
        return
    with suppress(OSError):  # no folder for temporary files
        for left in Path(gettempdir()).glob(f"{_PREFIX}*"):
            with suppress(OSError):  # no folder, or another user's, or in use
                _remove(left, fcntl)


def _remove(left: Path, locking: ModuleType) -> None:
    lock = os.open(left, _FOLDER)
    try:
        if os.fstat(lock).st_uid == os.geteuid():
            locking.flock(lock, locking.LOCK_EX | locking.LOCK_NB)
            shutil.rmtree(left)
    finally:
        os.close(lock)


def _known(session: str) -> list[Callable[[], None]]:
    """What is to be done at its end."""
    with _changing:
        if not _ends:
            threading.Thread(target=_look, daemon=True).start()
        _away[session] = 0.0
        return _ends.setdefault(session, [])


def _look() -> None:
    """Until no session is known. A server that was too busy to look has seen nobody leave: that time does not count."""
    before = time.monotonic()
    while True:
        time.sleep(_LOOK_SECONDS)
        with _changing:
            now = time.monotonic()
            passed, before = min(now - before, 2 * _LOOK_SECONDS), now
            _away.update({session: 0.0 if _is_open(session) else _away[session] + passed for session in _ends})
            over = [session for session in _ends if _away[session] > ABANDONED_SECONDS]
            actions = [action for session in over for action in reversed(_ends.pop(session))]
            for session in over:
                del _away[session]
            last = not _ends
        for action in actions:
            action()
        for session in over:
            streamlit_private.close(session)
            uploads.forget(session)
        uploads.drop_unnamed()
        if over:
            sys.modules["__main__"] = ModuleType("__main__")  # the page that was run last, and whatever it had open
            time.sleep(_LOOK_SECONDS)  # until they are closed
            memory.give_back()
        if last:
            return


def _is_open(session: str) -> bool:
    return not session or streamlit_private.is_open(session)


@atexit.register
def end_all() -> None:
    """Ends what is any session's own, as the server ends; whoever calls it second waits until that is done."""
    with _ending:
        while actions := _taken():
            for action in reversed(actions):
                action()


def _taken() -> list[Callable[[], None]]:
    """What is to be done at the end of all that are known; they are known no longer."""
    with _changing:
        actions = [action for known in _ends.values() for action in known]
        _ends.clear()
    return actions
