"""Servers of the app and commands for tests: with other constants than their own, and with disks that fail them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def begun_with(folder: Path, code: str) -> dict[str, str]:
    """An environment in which every Python process first runs `code`."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(code)
    return {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}


def full_disk(place: Path, kilobytes: int = 256) -> tuple[str, ...]:
    """Begins a command for which the folder `place` is a disk with so much room."""
    return _with_mounts(f"mount -t tmpfs -o size={kilobytes}k tmpfs '{place}'")


def read_only(*places: Path | str) -> tuple[str, ...]:
    """Begins a command for which these folders cannot be written to, whoever it runs as."""
    return _with_mounts(" && ".join(f"mount --bind '{one}' '{one}' && mount -o remount,bind,ro '{one}'" for one in places))


def _with_mounts(mounts: str) -> tuple[str, ...]:
    own = ("unshare", "--mount", *(() if os.getuid() == 0 else ("--map-root-user",)))
    if subprocess.run([*own, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a disk of his own (unshare --mount)")
    return (*own, "sh", "-c", f'{mounts} && exec "$@"', "sh")
