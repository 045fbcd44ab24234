"""Which DICOM series of an upload is opened, where it holds several."""

from __future__ import annotations

import streamlit as st

from pages.shared.cached import scans as cached_scans
from pages.shared.server import sessions
from vaead_core.errors import ScanError
from vaead_core.scans.reading import is_zip
from vaead_core.scans.volume import Volume


def read_upload(key: str, name: str, content: bytes, place: str) -> tuple[str, Volume]:
    """The UID of the series that was chosen, "" where there was no choice, and the scan. Raises ScanError until one is chosen.

    key: of the content. place: which of a page's scans it is, as two may be of one file. A .zip is unpacked in the session's own
    folder, and there for as long as it is read.
    """
    if not is_zip(content):
        return "", cached_scans.uploaded(key, name, "", content, None)
    scratch = sessions.folder("own_series")
    called = dict(cached_scans.series_of(key, name, content, scratch))
    chosen: str | None = ""
    if len(called) > 1:
        chosen = st.selectbox(
            "Series", list(called), None, format_func=called.__getitem__, placeholder="Choose one of several",
            key=f"series_{place}_{key[:16]}", persist_state="session",
        )  # fmt: skip
    if chosen is None:
        raise ScanError(f"{name} holds {len(called)} DICOM series; choose one in the sidebar.")
    return chosen, cached_scans.uploaded(key, name, chosen, content, scratch)
