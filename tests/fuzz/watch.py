"""What Python does while a hostile file is open: nothing unpickled, nothing written elsewhere, nothing started but the process
that an uploaded network runs in."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FORBIDDEN = ("pickle.find_class", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "socket.connect", "exec")
WORKER = ["-m", "vaead_core.computing.graph_worker"]
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
MOVING = ("os.rename", "os.link", "os.symlink", "os.mkdir", "os.remove")

_watched: list[Path] = []
_seen: list[str] = []


@contextmanager
def watching(folder: Path) -> Iterator[list[str]]:
    """Collects what happens that should not; `folder` may be written to."""
    if not _hooked:
        sys.addaudithook(_hook)
        _hooked.append(True)
    _watched.append(folder.resolve())
    _seen.clear()
    try:
        yield _seen
    finally:
        _watched.clear()


_hooked: list[bool] = []


def _hook(event: str, details: tuple) -> None:
    if not _watched:
        return
    if event in FORBIDDEN and not (event == "exec" and _of_a_module(details[0])) and not _of_a_worker(event, details):
        _seen.append(f"{event} {str(details)[:80]}")
    elif event == "open" and isinstance(details[2], int) and details[2] & WRITING:
        _see_path(event, details[0], -1)
    elif event in MOVING:
        for path in details[:2]:
            _see_path(event, path, details[-1])


def _see_path(event: str, path: object, folder: int) -> None:
    """folder: the descriptor that a relative path begins at; -1 for the current folder."""
    if isinstance(path, str | bytes | os.PathLike):
        base = "" if folder < 0 else f"/proc/self/fd/{folder}"
        found = Path(os.path.realpath(os.path.join(base, os.fsdecode(path))))
        if found != Path(os.devnull) and not found.is_relative_to(_watched[-1]):
            _seen.append(f"{event} {found}")


def _of_a_module(code: object) -> bool:
    """Whether the code that runs is a module's own, imported late."""
    return getattr(code, "co_name", "") == "<module>" and Path(getattr(code, "co_filename", "")).is_absolute()


def _of_a_worker(event: str, details: tuple) -> bool:
    """Whether a process is begun that runs graphs, and takes nothing but two numbers."""
    if event != "subprocess.Popen":
        return False
    python, *words = map(str, details[1])
    return python == sys.executable and words[:2] == WORKER and len(words) == 4 and all(map(str.isdigit, words[2:]))
