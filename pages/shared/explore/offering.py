"""A file that the Explore page makes when it is asked for."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st


def offer(label: str, content: Callable[[], bytes | str], key: str, name: str, about: str | None = None) -> None:
    """A button that gives it; the page stays as it is. name: of the file. about: what is in it."""
    st.download_button(label, content, name, on_click="ignore", key=f"download_{key}", help=about)
