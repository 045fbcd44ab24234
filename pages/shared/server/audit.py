"""A line of the server's log for what a session did, where $VAEAD_AUDIT is `on`: when, which session, what, and no name."""

from __future__ import annotations

import hashlib
import os
import secrets
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from pages.shared.server import streamlit_private

_SECRET = secrets.token_bytes(16)  # who knows a session's own name could send it files, so the log has another


def note(event: str, what: str, **numbers: int) -> None:
    """Writes that this session did something. event, what: the app's own words."""
    of_this_session()(event, what, **numbers)


def of_this_session() -> Callable[..., None]:
    """`note` for this session, to be called from wherever."""
    return partial(_write, streamlit_private.session())


def _write(session: str, event: str, what: str, **numbers: int) -> None:
    if os.environ.get("VAEAD_AUDIT") == "on":
        who = hashlib.blake2b(session.encode(), key=_SECRET, digest_size=4).hexdigest()
        words = [f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", f"audit session={who} {event} {what}"]
        print(*words, *(f"{name}={number}" for name, number in numbers.items()), file=sys.stderr, flush=True)
