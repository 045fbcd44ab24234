"""Which labels of an uploaded truth count, where it has several."""

from __future__ import annotations

import streamlit as st

from pages.shared.cached import scans as cached_scans
from vaead_core.errors import ScanError


def ask_labels(key: str, name: str, content: bytes) -> tuple[int, ...]:
    """Those of a label map that were chosen, rising; () where all count, or there is no choice. Raises ScanError for none.

    key: of the content.
    """
    held = cached_scans.labels_of(key, name, content)
    if not held:
        return ()
    chosen = st.multiselect("Labels that count", held, held, key=f"labels_{key[:16]}", persist_state="session")
    if not chosen:
        raise ScanError(f"No label of {name} counts; choose at least one in the sidebar.")
    return () if len(chosen) == len(held) else tuple(sorted(chosen))
