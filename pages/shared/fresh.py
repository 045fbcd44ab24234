"""A place on a page for what is made of one subject, which nothing of another one outlasts."""

from __future__ import annotations

from collections.abc import Callable, Hashable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.shared.server import streamlit_private


def fresh(key: str, subject: Hashable) -> Callable[[], DeltaGenerator]:
    """What gives the container for it, once there is something to show; until then the place is empty if `subject` is new.

    While it stays the same, what was drawn stays in place. Streamlit by itself leaves the last run's elements, and their
    buttons, until a run comes to draw others over them.
    """
    name = f"{key}_fresh"
    if st.session_state.get(name) == subject:
        place = st.container()
        return lambda: place
    st.session_state[name] = subject
    streamlit_private.forget_fragments()
    return st.empty().container
