"""A new folder in place of an old one, at once: whoever reads, and whoever is killed, finds one of them whole."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from vaead_core.computing.machine import c_function

_HERE, _EXCHANGE = -100, 2  # AT_FDCWD, RENAME_EXCHANGE of Linux's renameat2


def replace_folder(new: Path, folder: Path) -> None:
    """`new` becomes `folder`; what was there is removed."""
    if folder.exists():
        if not _exchange(new, folder):
            _one_by_one(new, folder)
        shutil.rmtree(new, ignore_errors=True)
    else:
        os.replace(new, folder)


def _exchange(first: Path, second: Path) -> bool:
    """Whether the system and the disk can do it in one step."""
    call = c_function("renameat2")
    return call is not None and call(_HERE, os.fsencode(first), _HERE, os.fsencode(second), _EXCHANGE) == 0


def _one_by_one(first: Path, second: Path) -> None:
    between = second.with_name(f"{second.name}.old")
    shutil.rmtree(between, ignore_errors=True)
    os.replace(second, between)
    os.replace(first, second)
    os.replace(between, first)
