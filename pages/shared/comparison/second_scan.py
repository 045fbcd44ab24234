"""The scan that Explore's is compared with: a sample, this session's own scan, or one file more."""

from __future__ import annotations

import streamlit as st
from streamlit.typing import UploadedFile

from pages.shared import own_scans, scan_input
from pages.shared.inputs import KEPT, drop_unless
from pages.shared.notices import plain
from pages.shared.scan_input import YOURS, Request, Upload
from pages.shared.server import audit, uploads
from vaead_core.cohorts.samples import SAMPLES

FILE = "another file of yours"
LACKING = "Upload the second scan in the sidebar; until then the first is shown alone."
_OWNED = "second_scans"


def ask_second_scan(first: Request) -> Request | None:
    """In the sidebar; None where its file is not there yet. first: the scan that is shown, which is not offered."""
    state = st.session_state
    own = [YOURS] if first.upload is None and state.get("kept_upload") else []
    offered = [*(name for name in SAMPLES if name != first.sample), *own, FILE]
    drop_unless("pair_sample", offered)
    chosen = st.selectbox("Second scan", offered, format_func=scan_input.titled, key="pair_sample", **KEPT)
    place = st.container()
    if chosen == YOURS:
        return Request("", place, place, state.kept_upload, None, state.get("kept_mask"))
    if chosen != FILE:
        return Request(chosen, place, place)
    with place:
        uploads.expect("second")
        shown = st.file_uploader(
            "The second T1: a brain or a whole head, .nii, .nii.gz or a .zip of DICOM",
            type=["nii", "gz", "zip"], key="second", on_change=_keep,
        )  # fmt: skip
        kept: Upload | None = state.get("kept_second")
        if kept and shown is None:
            st.button(plain(f"Close {kept.name}"), on_click=_keep, width="stretch", key="second_close")
    return Request("", place, place, kept, owned=_OWNED) if kept else None


def _keep() -> None:
    """One such file at a time; what was made of the one before goes."""
    state = st.session_state
    own_scans.forget(own_scans.owned(_OWNED))
    file, state.kept_second = state.get("second"), None
    if isinstance(file, UploadedFile):
        state.kept_second = scan_input.held(file, _OWNED)
        audit.note("upload", "second", bytes=file.size)
    scan_input.drop_files()
