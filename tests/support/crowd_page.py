"""The page of test_many_users.py: an uploader, work that is written down as it is done, and what the server holds."""

import gc
import json
import os
import time
from contextlib import suppress
from pathlib import Path

import streamlit as st
from streamlit import runtime
from streamlit.runtime.app_session import AppSession

from pages.shared import scan_input
from pages.shared.server import cache, queue, sessions, uploads

uploads.keep_in_memory()
sessions.follow()


def note(word: str) -> None:
    with suppress(Exception), Path(os.environ["WORK_DONE"]).open("a") as done:
        done.write(f"{word}\n")


@cache.cached
def piece(who: str, number: int) -> int:
    """A tenth of a second of work."""
    note(who)
    until = time.thread_time() + 0.1
    while time.thread_time() < until:
        pass
    return number


class Seen:
    """Something large that a callback of the page needs; it says when nobody holds it any more."""

    def __init__(self) -> None:
        note("seen")

    def __del__(self) -> None:
        note("let_go")


seen = Seen()
st.button("Look at it", on_click=lambda: seen)
request = scan_input.ask_scan("sample")
with queue.page():
    key = request.read().key
    who, _, pieces = st.text_input("Work", key="work").partition(" ")
    for number in range(int(pieces or 0)):
        piece(who, number)
server = runtime.get_instance()
held = {
    "scan": key,
    "keys": str(list(cache._kept)),
    "files": sum(map(len, server.uploaded_file_mgr.file_storage.values())),
    "sessions": sum(isinstance(one, AppSession) for one in gc.get_objects()),
}
st.text(json.dumps(held))
