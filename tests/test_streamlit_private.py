"""Each of Streamlit's private parts that the app uses is there, and is said by name when it is not."""

import importlib
import inspect
import re
from contextlib import nullcontext
from importlib.metadata import version
from pathlib import Path

import pytest
from starlette.requests import Request
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from pages.shared.server import streamlit_private
from pages.shared.server.streamlit_private import READ_IN
from tests.support.streamlit_parts import PARTS, gone

PAGES = Path(__file__).resolve().parents[1] / "pages"
EACH = [(function, part) for function, parts in PARTS.items() for part in parts]
NAMES = [f"{function}, {part}" for function, part in EACH]


@pytest.mark.parametrize("function", PARTS)
def test_each_part_is_there(function):
    assert not gone(function), "\n".join(gone(function))


def take_away(part: str, monkeypatch) -> None:
    """From its class or module, and from what the objects of its class get when they are made."""
    owner, _, name = part.rpartition(".")
    try:
        found = importlib.import_module(owner)
    except ImportError:
        module, _, kind = owner.rpartition(".")
        found = getattr(importlib.import_module(module), kind)
        monkeypatch.setattr(found, "__init__", lambda self: None)
        for base in found.__mro__:
            if name in vars(base):
                monkeypatch.delattr(base, name)
        left = {key: kind for key, kind in inspect.get_annotations(found).items() if key != name}
        monkeypatch.setattr(found, "__annotations__", left, raising=False)
    else:
        monkeypatch.delattr(found, name)


@pytest.mark.parametrize(("function", "part"), EACH, ids=NAMES)
def test_a_part_that_is_gone_is_said_by_name(function, part, monkeypatch):
    take_away(part, monkeypatch)
    said = [sentence for sentence in gone(function) if sentence.startswith(f"{part} is gone")]
    assert said == [
        f"{part} is gone, which pages.shared.server.streamlit_private.{function} needs; "
        f"read there what took its place since Streamlit {READ_IN}."
    ]


@pytest.mark.parametrize("place", ["streamlit.runtime.no_such_module.Kind", "streamlit.runtime.runtime.NoSuchClass"])
def test_a_module_or_a_class_that_is_gone_is_said_too(place, monkeypatch):
    monkeypatch.setitem(PARTS, "session", (f"{place}.part",))
    assert [sentence.partition(" is gone")[0] for sentence in gone("session")] == [f"{place}.part"]


def test_the_table_holds_all_functions_and_each_says_where_it_was_read():
    functions = {
        name: found
        for name, found in vars(streamlit_private).items()
        if inspect.isfunction(found) and found.__module__ == streamlit_private.__name__ and not name.startswith("_")
    }
    assert functions.keys() == PARTS.keys()
    assert [name for name in PARTS if f"Streamlit {READ_IN}" not in inspect.getdoc(functions[name])] == []


def test_the_installed_version_is_the_one_that_was_read():
    assert version("streamlit") == READ_IN, "read each function of pages/shared/server/streamlit_private.py in this version"


@pytest.mark.parametrize("path", sorted(PAGES.rglob("*.py")), ids=lambda path: path.relative_to(PAGES).as_posix())
def test_no_other_module_of_the_app_uses_such_parts(path):
    private = r"streamlit\.runtime|streamlit import runtime|starlette|\b_(?:session_mgr|get_async_objs|new_widget_state)\b|_mgr\b"
    assert bool(re.search(private, path.read_text(encoding="utf-8"))) == (path.name == "streamlit_private.py")


def test_pages_are_kept_apart_though_another_watches_the_same_method_already(monkeypatch):
    """Each puts its own in its place once, whoever came first."""
    asked = []
    monkeypatch.setattr(streamlit_private, "_watched", set())
    monkeypatch.setattr(AppSession, "request_rerun", lambda session, state: asked.append(state.page_script_hash))
    monkeypatch.setattr(Request, "form", Request.form)
    monkeypatch.setattr(MemoryUploadedFileManager, "get_upload_urls", MemoryUploadedFileManager.get_upload_urls)
    streamlit_private.watch_uploads(lambda *_: None, lambda *_: nullcontext(), lambda *_: None)
    for _ in range(2):
        streamlit_private.keep_pages_apart()
    reader = type("Reader", (), {"id": "mine", "page_script_hash": "old"})()
    AppSession.request_rerun(reader, ClientState(page_script_hash="new"))
    AppSession.request_rerun(reader, ClientState(page_script_hash="old", fragment_id="late"))
    reader.page_script_hash = "new"  # its run begins
    AppSession.request_rerun(reader, ClientState(page_script_hash="old", fragment_id="later"))
    assert asked == ["new", "new", "new"]
    AppSession.request_rerun(reader, ClientState(page_script_hash="new"))
    reader.page_script_hash = "switched to"
    AppSession.request_rerun(reader, ClientState(page_script_hash="switched to", fragment_id="its own"))
    AppSession.request_rerun(reader, ClientState(page_script_hash="new", fragment_id="late"))
    assert asked[3:] == ["new", "switched to", "switched to"]
