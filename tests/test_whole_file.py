"""A file is whole or as it was: writers that are killed, meet a full disk, or come two at once."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.support.waiting import until
from vaead_core.computing.whole_file import write_whole

ROOT = Path(__file__).resolve().parents[1]
SIZE = 2_000_000


def test_a_killed_writer_leaves_one_content_or_the_other(tmp_path):
    place = tmp_path / "table.csv"
    code = f"from pathlib import Path; from vaead_core.computing.whole_file import write_whole as w; p = Path({str(place)!r})\n"
    code += f"while True:\n    w(p, b'a' * {SIZE}); w(p, b'b' * {SIZE})"
    for kill in range(20):
        writer = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
        started = place.stat().st_mtime_ns if place.exists() else 0
        until(lambda started=started: place.exists() and place.stat().st_mtime_ns != started)
        time.sleep(0.0007 * kill)
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
        assert place.read_bytes() in (b"a" * SIZE, b"b" * SIZE)
    assert all(path.name.startswith(".") and path.suffix == ".partial" for path in tmp_path.iterdir() if path != place)


def test_a_full_disk_leaves_what_was_there_and_nothing_else(tmp_path, monkeypatch):
    place = tmp_path / "table.csv"
    write_whole(place, "first")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(place, "second")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("table.csv", "first")]


def test_of_two_writers_at_once_one_wins_and_nothing_is_left_over(tmp_path):
    place, contents = tmp_path / "table.csv", [letter * SIZE for letter in "abcd"]
    writers = [threading.Thread(target=write_whole, args=(place, content)) for content in contents]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert place.read_text() in contents
    assert list(tmp_path.iterdir()) == [place]
