"""What is one session's own ends with it: when its reader has been gone for a while, or the server ends; the latest first."""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

ABANDONED_SECONDS = 120.0  # as long as Streamlit keeps a session whose browser is gone
_LOOK_SECONDS = 1.0

_ends: dict[str, list[Callable[[], None]]] = {}
_seen: dict[str, float] = {}
_changing = threading.Lock()


def at_end(action: Callable[[], None]) -> None:
    """Calls `action` once, when this session has ended. Outside a server (a test, a script): when Python ends."""
    context = get_script_run_ctx(suppress_warning=True)
    session = context.session_id if context and runtime.exists() else ""
    with _changing:
        if not _ends:
            threading.Thread(target=_look, daemon=True).start()
        _ends.setdefault(session, []).append(action)
        _seen[session] = time.monotonic()


def folder(key: str) -> Path:
    """A folder of this session's own, as long as it lasts; `key` is its place in the session's state."""
    if key not in st.session_state:
        st.session_state[key] = TemporaryDirectory(prefix="vaead-", ignore_cleanup_errors=True)
        at_end(st.session_state[key].cleanup)
    return Path(st.session_state[key].name)


def _look() -> None:
    """Until no session is known."""
    while True:
        time.sleep(_LOOK_SECONDS)
        with _changing:
            now = time.monotonic()
            _seen.update({session: now for session in _ends if _is_open(session)})
            over = [session for session in _ends if now - _seen[session] > ABANDONED_SECONDS]
            actions = [action for session in over for action in reversed(_ends.pop(session))]
            last = not _ends
        for action in actions:
            action()
        if last:
            return


def _is_open(session: str) -> bool:
    return not session or (runtime.exists() and runtime.get_instance().is_active_session(session))


@atexit.register
def _end_all() -> None:
    for actions in list(_ends.values()):
        for action in reversed(actions):
            action()
