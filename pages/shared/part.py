"""A part of a page that is drawn alone when something in it is used."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import streamlit as st

_ASKED = (
    *("sample", "lab_sample", "checkpoint", "methods", "scale", "kept_upload", "kept_truth", "kept_mask"),
    *("compare", "pair_checkpoint", "pair_sample", "pair_map", "pair_second_map", "kept_second"),
)

P = ParamSpec("P")


def part(draw: Callable[P, None]) -> Callable[P, None]:
    """`draw` as a fragment; where an answer in the sidebar has changed too, the whole page is drawn instead.

    What is used at the same moment in a fragment and outside of it, such as a viewer that has just appeared and an upload that
    has just arrived, Streamlit 1.67 sends as one message, which asks for the fragment alone.
    """
    drawn_for = _asked()

    @st.fragment
    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> None:
        if _asked() != drawn_for:
            st.rerun()
        draw(*args, **kwargs)

    return drawn


def _asked() -> tuple[object, ...]:
    return tuple(st.session_state.get(name) for name in _ASKED)
