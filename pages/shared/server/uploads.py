"""Uploads stay in memory, and no longer than they are open: what Streamlit by itself leaves to the disk and to the browser."""

from __future__ import annotations

from collections.abc import Set

from pages.shared.server import streamlit_private


def keep_in_memory() -> None:
    """On its way in, a file of more than 1 MB would lie on the server's disk, and be refused where that is full."""
    streamlit_private.hold_uploads_in_memory(1 << 30)  # Streamlit ends an upload at server.maxUploadSize


def drop(known: set[str], besides: Set[str] = frozenset()) -> set[str]:
    """Drops the files of this session that are `known`, all but some, whether or not its browser asks for that.

    Returns those that are there now, to be known the next time: what has arrived since may be what the browser is about to
    announce in the place of another one.
    """
    here = streamlit_private.session()
    if not here:
        return set()
    for sent in known - besides:
        streamlit_private.remove_upload(here, sent)
    return streamlit_private.uploads_of(here)
