"""A file is whole or not there, whoever is killed, and whatever disk is full."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write_whole(path: Path, content: bytes | str) -> None:
    """Puts `content` (text as UTF-8) at `path`: written beside it, under a name that no other writer has, and on the disk before
    it takes the name. A kill leaves what was there, and at most a hidden `.partial`. Raises OSError.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_whole(Path(folder) / "table.csv", "a,b")
    ...     (Path(folder) / "table.csv").read_text(), len(list(Path(folder).iterdir()))
    ('a,b', 1)
    """
    partial = path.with_name(f".{path.name}.{secrets.token_hex(6)}.partial")
    try:
        with partial.open("xb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
