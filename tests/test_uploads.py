"""Which of a session's files stay on the server while its browser replaces one by another."""

from pathlib import Path

import pytest
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import DeletedFile, UploadedFileRec
from streamlit.testing.v1 import AppTest

from pages.shared.server import streamlit_private, uploads

SESSION = "one"


@pytest.fixture
def files(monkeypatch):
    """Streamlit's own store, with files of another session in it."""
    store = MemoryUploadedFileManager("/upload")
    send(store, "theirs", session="two")
    monkeypatch.setattr(streamlit_private, "session", lambda: SESSION)
    monkeypatch.setattr(streamlit_private, "_uploads", lambda: store)  # not the runtime: a thread of `sessions` may look there
    yield store
    assert set(store.file_storage["two"]) == {"theirs"}


def send(store, name, session=SESSION):
    store.add_file(session, UploadedFileRec(name, f"{name}.nii", "", b"content"))


def test_a_file_that_arrives_before_the_browser_names_it_stays(files):
    send(files, "first")
    known = uploads.drop(set(), besides={"first"})
    send(files, "second")  # the browser has let go of the first, and does not speak of the second yet
    known = uploads.drop(known)
    assert set(files.file_storage[SESSION]) == {"second"}
    known = uploads.drop(known, besides={"second"})
    assert set(files.file_storage[SESSION]) == known == {"second"}


def test_a_file_that_is_closed_goes(files):
    send(files, "first")
    uploads.drop(uploads.drop(set(), besides={"first"}))
    assert not files.file_storage[SESSION]


def test_a_file_that_was_never_named_goes_with_the_next_change(files):
    send(files, "first")
    send(files, "second")
    known = uploads.drop(set(), besides={"second"})
    assert known == {"first", "second"}
    send(files, "third")
    uploads.drop(known, besides={"third"})
    assert set(files.file_storage[SESSION]) == {"third"}


def test_a_file_that_was_lost_is_one_sentence(monkeypatch):
    def page():
        from pages.shared import scan_input

        scan_input.ask_scan("sample")

    monkeypatch.setattr("streamlit.file_uploader", lambda *label, **settings: DeletedFile("gone"))
    at = AppTest.from_function(page).run()
    assert not at.exception
    assert [error.value for error in at.error] == ["That file was lost on its way to the server; choose it again."]


def test_every_uploader_of_a_page_is_expected():
    """Else what is chosen in it is refused."""
    pages = sorted((Path(__file__).resolve().parents[1] / "pages").rglob("*.py"))
    texts = [path.read_text() for path in pages]
    assert sum(text.count("st.file_uploader(") for text in texts) == sum(text.count("uploads.expect(") for text in texts) > 4
