"""A session ends when its reader has been gone for a while, and not because the server was too busy to look."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from pages.shared.server import sessions
from tests.support.waiting import PATIENCE_SECONDS


@pytest.mark.parametrize(("pause", "looks_away"), [(0.0, 1), (1000.0, 1), (1000.0, 50)])
def test_time_in_which_nobody_looked_does_not_count_as_absence(monkeypatch, pause, looks_away):
    """The server stops for `pause` seconds, after which the reader is not connected for some looks, comes back, and leaves."""
    clock, looks, ended = [0.0], [0], []

    def sleep(seconds):
        looks[0] += 1
        clock[0] += seconds + (pause if looks[0] == 5 else 0)

    def is_open(session):
        return looks[0] < 5 or 5 + looks_away <= looks[0] < 100

    monkeypatch.setattr(sessions, "time", SimpleNamespace(monotonic=lambda: clock[0], sleep=sleep))
    monkeypatch.setattr(sessions, "_is_open", is_open)
    monkeypatch.setattr(sessions, "memory", SimpleNamespace(give_back=lambda: None))
    monkeypatch.setattr(sessions.streamlit_private, "close", lambda session: None)
    monkeypatch.setattr(sessions, "_ends", {"one": [lambda: ended.append(looks[0])]})
    monkeypatch.setattr(sessions, "_away", {"one": 0.0})
    monkeypatch.setattr(sessions.sys, "modules", dict(sessions.sys.modules))
    sessions._look()
    assert ended == [100 + sessions.ABANDONED_SECONDS // sessions._LOOK_SECONDS]


def first_visit(temporary: Path) -> None:
    """What a server's first visit does with what lies in its folder for temporary files, as another process."""
    program = "from pages.shared.server import sessions; sessions._remove_left_folders()"
    subprocess.run(
        [sys.executable, "-c", program], env=os.environ | {"TMPDIR": str(temporary)}, check=True, timeout=PATIENCE_SECONDS
    )


def test_a_pipe_a_link_and_a_file_with_a_session_folders_name_hold_up_nobody_and_stay(tmp_path):
    kept, left, temporary = tmp_path / "kept", tmp_path / "tmp" / "vaead-session-left", tmp_path / "tmp"
    left.mkdir(parents=True)
    (left / "own").write_text("of a server that was killed")
    kept.mkdir()
    (kept / "file").write_text("somebody's")
    os.mkfifo(temporary / "vaead-session-a-pipe")
    (temporary / "vaead-session-b-link").symlink_to(kept)
    (temporary / "vaead-session-c-file").write_text("x")
    first_visit(temporary)
    assert not left.exists()
    assert (kept / "file").read_text() == "somebody's"
    assert sorted(path.name for path in temporary.glob("vaead-session-*")) == [
        "vaead-session-a-pipe", "vaead-session-b-link", "vaead-session-c-file",
    ]  # fmt: skip


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a folder away")
def test_another_users_folder_stays(tmp_path):
    theirs = tmp_path / "vaead-session-theirs"
    theirs.mkdir()
    (theirs / "file").write_text("theirs")
    os.chown(theirs, 65534, 65534)
    first_visit(tmp_path)
    assert (theirs / "file").read_text() == "theirs"
