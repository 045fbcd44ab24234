"""The private parts of Streamlit that `streamlit_private` uses, by the function that needs them, and which of them are gone."""

from __future__ import annotations

import importlib
import inspect

from pages.shared.server import streamlit_private

_RUNTIME, _STATE = "streamlit.runtime.runtime.Runtime", "streamlit.runtime.state.session_state"
_SERVER = ("streamlit.runtime.exists", "streamlit.runtime.get_instance")
_MANAGER = "streamlit.runtime.websocket_session_manager.WebsocketSessionManager"
_FILES = "streamlit.runtime.memory_uploaded_file_manager.MemoryUploadedFileManager"
_CONTEXT = "streamlit.runtime.scriptrunner_utils.script_run_context.ScriptRunContext"
PARTS = {  # function → what it uses, by its dotted name
    "session": (*_SERVER[:1], "streamlit.runtime.scriptrunner.get_script_run_ctx"),
    "is_open": (*_SERVER, f"{_RUNTIME}.is_active_session"),
    "is_ending": (*_SERVER, f"{_RUNTIME}.state", "streamlit.runtime.RuntimeState"),
    "close": (
        *_SERVER,
        f"{_RUNTIME}._get_async_objs",
        "streamlit.runtime.runtime.AsyncObjects.eventloop",
        f"{_RUNTIME}.is_active_session",
        f"{_RUNTIME}._session_mgr",
        f"{_MANAGER}.get_session_info",
        "streamlit.runtime.session_manager.SessionInfo.session",
        "streamlit.runtime.app_session.AppSession.session_state",
        f"{_STATE}.SessionState.clear",
        f"{_STATE}.SessionState._new_widget_state",
        f"{_STATE}.WStates.widget_metadata",
        "streamlit.runtime.app_session.AppSession._fragment_storage",
        "streamlit.runtime.fragment.MemoryFragmentStorage.clear",
        f"{_RUNTIME}.close_session",
    ),
    "hold_uploads_in_memory": ("starlette.formparsers.MultiPartParser.spool_max_size",),
    "remove_upload": (*_SERVER[1:], f"{_RUNTIME}.uploaded_file_mgr", f"{_FILES}.remove_file"),
    "watch_uploads": (
        "starlette.requests.Request.form",
        f"{_FILES}.get_upload_urls",
        "streamlit.runtime.app_session.AppSession.request_rerun",
        "streamlit.runtime.app_session.AppSession.id",
    ),
    "page": ("streamlit.runtime.scriptrunner.get_script_run_ctx", f"{_CONTEXT}.page_script_hash"),
    "uploads_of": (*_SERVER[1:], f"{_RUNTIME}.uploaded_file_mgr", f"{_FILES}.file_storage"),
    "forget_fragments": (
        "streamlit.runtime.scriptrunner.get_script_run_ctx",
        f"{_CONTEXT}.fragment_storage",
        f"{_CONTEXT}.shared",
        "streamlit.runtime.scriptrunner_utils.shared_run_state.SharedRunState.new_fragment_ids",
        "streamlit.runtime.fragment.MemoryFragmentStorage.clear",
    ),
    "keep_pages_apart": (
        "streamlit.runtime.app_session.AppSession.request_rerun",
        "streamlit.runtime.app_session.AppSession.page_script_hash",
    ),
    "runs_a_page_alone": ("streamlit.runtime.pages_manager.PagesManager.uses_pages_directory",),
    "serve": (
        *_SERVER[1:],
        f"{_RUNTIME}.media_file_mgr",
        "streamlit.runtime.media_file_manager.MediaFileManager.add",
    ),
}


def gone(function: str) -> list[str]:
    """A sentence for each part of PARTS that `function` needs and the installed Streamlit does not have."""
    needed = f"{streamlit_private.__name__}.{function}"
    said = f"{{}} is gone, which {needed} needs; read there what took its place since Streamlit {streamlit_private.READ_IN}."
    return [said.format(part) for part in PARTS[function] if not _is_there(part)]


def _is_there(part: str) -> bool:
    """Of a class also what its objects get when they are made."""
    owner, _, name = part.rpartition(".")
    try:
        found = importlib.import_module(owner)
    except ImportError:
        module, _, kind = owner.rpartition(".")
        try:
            found = getattr(importlib.import_module(module), kind)
        except (ImportError, AttributeError):
            return False
        made = getattr(found.__init__, "__code__", None)
        if name in inspect.get_annotations(found) or (made and name in made.co_names):
            return True
    return hasattr(found, name)
