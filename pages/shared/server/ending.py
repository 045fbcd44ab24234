"""A server that is asked to end does so within SECONDS, whatever it computes.

Python by itself waits for threads of pools, which a network may keep for minutes, and Streamlit's server for browsers.
"""

import os
import threading
import time
from functools import cache

from pages.shared.server import sessions, streamlit_private

SECONDS = 4.0  # within five, with what the system takes
_LOOK_SECONDS = 0.25


@cache
def follow() -> None:
    """Once: watches whether the server is to end."""
    threading.Thread(target=_watch, daemon=True).start()


def _watch() -> None:
    while not streamlit_private.is_ending():
        time.sleep(_LOOK_SECONDS)
    deadline = time.monotonic() + SECONDS - _LOOK_SECONDS
    threading.Thread(target=sessions.end_all, daemon=True).start()  # folders, jobs, networks apart
    while time.monotonic() < deadline:  # the server comes to its end before that, where nothing runs
        time.sleep(_LOOK_SECONDS)
    os._exit(0)
