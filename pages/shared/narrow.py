"""The sidebar of a narrow window: it would take a third of it, so it is closed until its reader opens it."""

from pathlib import Path

import streamlit as st

from pages.shared.server.streamlit_private import serve

_SCRIPT = Path(__file__).with_name("narrow.js").read_bytes()


def close_sidebar() -> None:
    """By a script of the server's own address: the proxy's policy lets no other pass."""
    at = serve(_SCRIPT, "text/javascript", "narrow", "narrow.js")
    st.html("<style>.stElementContainer:has(> .stHtml > script) { display: none; }</style>")
    st.html(f"<script type='module' src='{at}'></script>", unsafe_allow_javascript=True)
