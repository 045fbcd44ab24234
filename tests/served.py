"""Servers of the app for tests: with other constants than its own."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def begun_with(folder: Path, code: str) -> dict[str, str]:
    """An environment in which every Python process first runs `code`."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(code)
    return {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}
