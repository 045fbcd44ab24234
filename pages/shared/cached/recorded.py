"""Recorded tables, for every page: nothing that measures is loaded with them."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pandas as pd

from pages.shared.server.cache import cached
from vaead_core.experiments import records

RESULTS = Path(__file__).resolve().parents[3] / "results"


def folder() -> Path:
    """Where the recorded tables lie."""
    return Path(os.environ.get("VAEAD_RESULTS", RESULTS))


def table(where: Path, name: str) -> pd.DataFrame | None:
    """A recorded table, read once for each content; None where there is none."""
    return _table(where, name, digest(where, name))


def digest(where: Path, name: str) -> str:
    """Of its content."""
    return hashlib.blake2b(records.content(where, name) or b"").hexdigest()


@cached
def _table(where: Path, name: str, digest: str) -> pd.DataFrame | None:
    return records.read(where, name)


def about(where: Path, name: str) -> dict[str, Any]:
    """Command, seconds, models of a table; empty where it came without."""
    path = where / f"{name}.json"
    return json.loads(path.read_text()) if path.is_file() else {}
