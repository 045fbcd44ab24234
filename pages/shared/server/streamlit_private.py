"""What the app needs of Streamlit's private parts, each in one function and read in version READ_IN; a line for each in
tests/support/streamlit_parts.py says which parts."""  # fmt: skip

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import wraps
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

from starlette import formparsers, requests
from starlette.exceptions import HTTPException
from streamlit import config, runtime
from streamlit.runtime import app_session, pages_manager, scriptrunner
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from vaead_core.errors import InputError

if TYPE_CHECKING:
    from streamlit.proto.ClientState_pb2 import ClientState
    from streamlit.runtime.uploaded_file_manager import UploadFileUrlInfo

READ_IN = "1.67.0"

_watched: set[str] = set()  # functions that have put their own in the place of a method: once each, whoever came before


def session() -> str:
    """The session that runs here; "" outside a server: a test, a script. Read in Streamlit 1.67.0."""
    context = scriptrunner.get_script_run_ctx(suppress_warning=True)
    return context.session_id if context and runtime.exists() else ""


def is_open(known: str) -> bool:
    """Whether a session's reader is connected. Read in Streamlit 1.67.0."""
    return runtime.exists() and runtime.get_instance().is_active_session(known)


def is_ending() -> bool:
    """Whether this server was asked to end: SIGTERM, Ctrl-C. Read in Streamlit 1.67.0."""
    ending = (runtime.RuntimeState.STOPPING, runtime.RuntimeState.STOPPED)
    return runtime.exists() and runtime.get_instance().state in ending


def close(known: str) -> None:
    """Gives back what a session holds, unless its reader has come back, in the server's own loop. Read in Streamlit 1.67.0,
    which by itself drops state and uploads of a session only when yet another one ends."""
    if known and runtime.exists():
        server = runtime.get_instance()
        server._get_async_objs().eventloop.call_soon_threadsafe(_empty, server, known)


def _empty(server: runtime.Runtime, known: str) -> None:
    """Also of what its pages held: the server's loop keeps the sessions of its last round until somebody comes."""
    if not server.is_active_session(known) and (found := server._session_mgr.get_session_info(known)):
        found.session.session_state.clear()
        found.session.session_state._new_widget_state.widget_metadata.clear()  # what is called when a widget changes
        found.session._fragment_storage.clear()
        server.close_session(known)


def hold_uploads_in_memory(most_bytes: int) -> None:
    """An upload of up to `most_bytes` never lies on the disk on its way in. Read in Streamlit 1.67.0, whose server takes them
    by starlette's parser."""
    formparsers.MultiPartParser.spool_max_size = most_bytes


def watch_uploads(
    give: Callable[[str, set[str]], None],
    taking: Callable[[str, str, int], AbstractContextManager[None]],
    name: Callable[[str, set[str]], None],
) -> None:
    """Calls `give` with a session's addresses for files as they are given, holds `taking` while one is sent, from before its
    first byte, and calls `name` with all that its browser's widgets hold. An InputError of `taking` ends the upload. Read in
    Streamlit 1.67.0, which takes whatever is sent to any address of a session that is open, as starlette's form."""  # fmt: skip
    form, urls = requests.Request.form, MemoryUploadedFileManager.get_upload_urls
    rerun = app_session.AppSession.request_rerun
    if not _first("watch_uploads"):
        return

    @wraps(urls)
    def get_upload_urls(files: MemoryUploadedFileManager, session: str, names: Sequence[str]) -> list[UploadFileUrlInfo]:
        found = urls(files, session, names)
        give(session, {one.file_id for one in found})
        return found

    @wraps(form)
    def watched(request: requests.Request, **limits: Any) -> Any:
        place = request.scope.get("path_params", {})
        if request.method == "PUT" and {"session_id", "file_id"} <= place.keys():
            return _form(request, taking(place["session_id"], place["file_id"], _size(request)), limits)
        return form(request, **limits)

    async def _form(request: requests.Request, held: AbstractContextManager[None], limits: dict[str, Any]) -> Any:
        try:
            with held:
                return await form(request, **limits)
        except InputError as error:
            raise HTTPException(413, str(error)) from error

    @wraps(rerun)
    def request_rerun(session: app_session.AppSession, client_state: ClientState | None) -> None:
        if client_state:
            states = client_state.widget_states.widgets
            name(session.id, {one.file_id for state in states for one in state.file_uploader_state_value.uploaded_file_info})
        rerun(session, client_state)

    requests.Request.form = watched  # type: ignore[assignment, method-assign]
    MemoryUploadedFileManager.get_upload_urls = get_upload_urls  # type: ignore[assignment, method-assign]
    app_session.AppSession.request_rerun = request_rerun  # type: ignore[assignment, method-assign]


def _size(request: requests.Request) -> int:
    """What a file that is sent says of its size, else the most that is taken."""
    most = int(config.get_option("server.maxUploadSize")) << 20
    said = request.headers.get("content-length", "")
    return min(int(said), most) if said.isdecimal() else most


def page() -> str:
    """The page that runs here, by its hash. Read in Streamlit 1.67.0."""
    context = scriptrunner.get_script_run_ctx(suppress_warning=True)
    return context.page_script_hash if context else ""


def remove_upload(known: str, file: str) -> None:
    """Drops one uploaded file of a session. Read in Streamlit 1.67.0."""
    _uploads().remove_file(known, file)


def uploads_of(known: str) -> set[str]:
    """The uploaded files that the server holds of a session. Read in Streamlit 1.67.0."""
    return set(_uploads().file_storage.get(known, ()))


def _uploads() -> MemoryUploadedFileManager:
    return cast("MemoryUploadedFileManager", runtime.get_instance().uploaded_file_mgr)


def forget_fragments() -> None:
    """Drops the fragments of earlier runs: a late message of what a page no longer shows would have one draw where nothing of it
    is, and the browser's page breaks. Read in Streamlit 1.67.0, which does so only where a run comes to its last line."""
    if context := scriptrunner.get_script_run_ctx(suppress_warning=True):
        context.fragment_storage.clear(new_fragment_ids=frozenset(context.shared.new_fragment_ids.snapshot()))


def keep_pages_apart() -> None:
    """What a fragment of the page that its reader has just left sends, counts for the page asked for since, or come to since
    by st.switch_page. Read in Streamlit 1.67.0, which else runs it as the page that was left: the browser then takes the new
    one's elements away."""
    take = app_session.AppSession.request_rerun
    if not _first("keep_pages_apart"):
        return
    asked: WeakKeyDictionary[app_session.AppSession, tuple[str, str]] = WeakKeyDictionary()  # and the page that ran then

    @wraps(take)
    def request_rerun(session: app_session.AppSession, client_state: ClientState | None) -> None:
        if client_state and client_state.fragment_id:
            wanted, before = asked.get(session, ("", ""))
            runs = session.page_script_hash
            client_state.page_script_hash = (wanted if runs == before else runs) or client_state.page_script_hash
        elif client_state:
            asked[session] = client_state.page_script_hash, session.page_script_hash
        take(session, client_state)

    app_session.AppSession.request_rerun = request_rerun  # type: ignore[assignment, method-assign]


def runs_a_page_alone() -> bool:
    """Whether this run is of a page's file without app.py; True once, as the next run is no longer. Read in Streamlit 1.67.0,
    which knows st.navigation only once app.py has run."""
    alone = bool(pages_manager.PagesManager.uses_pages_directory)
    if alone:
        pages_manager.PagesManager.uses_pages_directory = False
    return alone


def serve(content: bytes, kind: str, place: str, name: str) -> str:
    """The path at which this server gives `content`, of media type `kind`, to a session's browser.

    place: of the element that shows it. Read in Streamlit 1.67.0.
    """
    base = str(config.get_option("server.baseUrlPath") or "").strip("/")
    path = runtime.get_instance().media_file_mgr.add(content, kind, place, file_name=name)
    return f"/{base}{path}" if base else path


def _first(function: str) -> bool:
    """Whether it was not there before."""
    known = function in _watched
    _watched.add(function)
    return not known
