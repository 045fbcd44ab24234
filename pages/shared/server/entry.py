"""Every page is reached through app.py."""

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from pages.shared.server import memory, sessions, uploads


def through_app() -> None:
    """On a server that nobody visited yet, a page's own address runs its file alone, beside a raw list of the folder pages/,
    as Streamlit knows st.navigation only once app.py has run. Then the run begins anew, through app.py."""
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()
    memory.keep_large_arrays_apart()
    uploads.keep_in_memory()
    sessions.follow()
