"""Uploads stay in memory, and no longer than they are open: what Streamlit by itself leaves to the disk and to the browser."""

from __future__ import annotations

from starlette.formparsers import MultiPartParser
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx


def keep_in_memory() -> None:
    """On its way in, a file of more than 1 MB would lie on the server's disk, and be refused where that is full."""
    MultiPartParser.spool_max_size = 1 << 30  # Streamlit ends an upload at server.maxUploadSize


def drop(known: set[str], besides: str = "") -> set[str]:
    """Drops the files of this session that are `known`, all but one, whether or not its browser asks for that.

    Returns those that are there now, to be known the next time: what has arrived since may be what the browser is about to
    announce in the place of another one.
    """
    context = get_script_run_ctx(suppress_warning=True)
    if not context or not runtime.exists():
        return set()
    files = runtime.get_instance().uploaded_file_mgr
    for sent in known - {besides}:
        files.remove_file(context.session_id, sent)
    return set(files.file_storage.get(context.session_id, ()))
