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
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.shared.server import memory
from vaead_core.errors import InputError

try:
    import fcntl
except ImportError:  # Windows locks no folders: those of a killed server stay
    fcntl = None

ABANDONED_SECONDS = 110.0  # after two minutes a reader who comes back gets a new session from Streamlit
_LOOK_SECONDS = 1.0
_PREFIX = "vaead-session-"

_ends: dict[str, list[Callable[[], None]]] = {}
_seen: dict[str, float] = {}
_changing = threading.Lock()


def follow() -> None:
    """Notes that this session is here, so that all of it is given back when its reader has been gone for a while."""
    _remove_left_folders()
    if runtime.exists():
        _known(_session())


def at_end(action: Callable[[], None]) -> None:
    """Calls `action` once, when this session has ended. Outside a server (a test, a script): when Python ends."""
    _known(_session()).append(action)


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
        at_end(lambda: (own.cleanup(), let_go()))
    return Path(st.session_state[key].name)


def _hold(own: str) -> Callable[[], None]:
    """A lock on a folder, held as long as this server lives or until what is returned is called."""
    if fcntl is None:
        return lambda: None
    lock = os.open(own, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_SH)
    return partial(os.close, lock)


@cache
def _remove_left_folders() -> None:
    """Those of servers that were killed: nobody holds their locks."""
    if fcntl is None:
        return
    with suppress(OSError):  # no folder for temporary files, or another user's
        for left in Path(gettempdir()).glob(f"{_PREFIX}*"):
            lock = os.open(left, os.O_RDONLY)
            with suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left)
            os.close(lock)


def _session() -> str:
    context = get_script_run_ctx(suppress_warning=True)
    return context.session_id if context and runtime.exists() else ""


def _known(session: str) -> list[Callable[[], None]]:
    """What is to be done at its end."""
    with _changing:
        if not _ends:
            threading.Thread(target=_look, daemon=True).start()
        _seen[session] = time.monotonic()
        return _ends.setdefault(session, [])


def _look() -> None:
    """Until no session is known."""
    while True:
        time.sleep(_LOOK_SECONDS)
        with _changing:
            now = time.monotonic()
            _seen.update({session: now for session in _ends if _is_open(session)})
            over = [session for session in _ends if now - _seen[session] > ABANDONED_SECONDS]
            actions = [action for session in over for action in reversed(_ends.pop(session))]
            for session in over:
                del _seen[session]
            last = not _ends
        for action in actions:
            action()
        for session in over:
            _close(session)
        if over:
            sys.modules["__main__"] = ModuleType("__main__")  # the page that was run last, and whatever it had open
            time.sleep(_LOOK_SECONDS)  # until they are closed
            memory.give_back()
        if last:
            return


def _close(session: str) -> None:
    """Streamlit itself drops the state and the uploads of a session only when yet another one ends."""
    if session and runtime.exists():
        server = runtime.get_instance()
        server._get_async_objs().eventloop.call_soon_threadsafe(_empty, server, session)


def _empty(server: runtime.Runtime, session: str) -> None:
    """Also of what its pages held: the server's loop keeps the sessions of its last round until somebody comes."""
    if not server.is_active_session(session) and (known := server._session_mgr.get_session_info(session)):
        known.session.session_state.clear()
        known.session.session_state._new_widget_state.widget_metadata.clear()  # what is called when a widget changes
        known.session._fragment_storage.clear()
        server.close_session(session)


def _is_open(session: str) -> bool:
    return not session or (runtime.exists() and runtime.get_instance().is_active_session(session))


@atexit.register
def _end_all() -> None:
    for actions in list(_ends.values()):
        for action in reversed(actions):
            action()
