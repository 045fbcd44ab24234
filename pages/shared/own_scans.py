"""Which scans are this session's own, so that nothing made of them outlasts it."""

from __future__ import annotations

from functools import partial

import streamlit as st

from pages.shared.cached import scans as cached_scans
from pages.shared.server import sessions


def owned(whose: str) -> set[str]:
    """Their keys, of which nothing is kept once the session has ended. whose: their place in its state."""
    state = st.session_state
    if whose not in state:
        state[whose] = set()
        sessions.at_end(partial(forget, state[whose]))
    known: set[str] = state[whose]
    return known


def forget(scans: set[str]) -> None:
    """Drops all that was made of them."""
    for key in scans:
        cached_scans.forget(key)
    scans.clear()
