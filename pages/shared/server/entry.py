"""Every page is reached through app.py."""

import streamlit as st

from pages.shared.server import ending, memory, sessions, streamlit_private, uploads


def through_app() -> None:
    """On a server that nobody visited yet, a page's own address runs its file alone, beside a raw list of the folder pages/,
    as Streamlit knows st.navigation only once app.py has run. Then the run begins anew, through app.py."""
    if streamlit_private.runs_a_page_alone():
        st.rerun()
    streamlit_private.keep_pages_apart()
    memory.keep_large_arrays_apart()
    memory.set_imports_aside()
    uploads.keep_in_memory()
    uploads.begin_page()
    sessions.follow()
    ending.follow()
