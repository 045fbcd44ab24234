"""Uploads stay in memory, and no longer than they are open: what Streamlit by itself leaves to the disk and to the browser."""

from __future__ import annotations

from starlette.formparsers import MultiPartParser
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx


def keep_in_memory() -> None:
    """On its way in, a file of more than 1 MB would lie on the server's disk, and be refused where that is full."""
    MultiPartParser.spool_max_size = 1 << 30  # Streamlit ends an upload at server.maxUploadSize


def drop(besides: str = "") -> None:
    """Drops all files that this session has sent but one, whether or not its browser asks for that."""
    context = get_script_run_ctx(suppress_warning=True)
    if context and runtime.exists():
        files = runtime.get_instance().uploaded_file_mgr
        for sent in set(files.file_storage.get(context.session_id, ())) - {besides}:
            files.remove_file(context.session_id, sent)
