"""The one folder of the server in which readers may choose others, where its operator named it: $VAEAD_DATA."""

from __future__ import annotations

import os
from pathlib import Path

from vaead_core.errors import InputError


def allowed() -> bool:
    """Whether its operator named one.

    The address that the server listens at tells nothing: behind a proxy, everybody comes from this machine.
    """
    return bool(os.environ.get("VAEAD_DATA"))


def base() -> Path:
    """The folder itself, where there is one."""
    return Path(os.environ["VAEAD_DATA"]).resolve()


def folder_of(text: str) -> Path:
    """The folder below it that a reader asks for. Raises InputError."""
    if not text.strip():
        raise InputError("Give the folder of the scans.")
    folder = (base() / text.strip()).resolve()
    if not folder.is_relative_to(base()) or not folder.is_dir():
        raise InputError(f"There is no folder {text.strip()} below the server's data folder; give another.")
    return folder
