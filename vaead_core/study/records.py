"""The record of a scan: where it lies and how it is read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vaead_core.errors import InputError
from vaead_core.study.dataset import StudyScan

_NEEDED = {"scan", "participant_id", "sentence", "made_of", "files"}


def record_file(out: Path, scan: StudyScan) -> Path:
    """It is written last of a scan's results, and tells of the others."""
    return out / scan.name.folder / f"{scan.name.made('scores').stem}.json"


def read_records(out: Path, scans: Sequence[StudyScan]) -> list[dict[str, Any] | None]:
    """Those of scans; None for one that participant has not come to. Raises InputError where there is none at all."""
    found = [read_record(record_file(out, scan)) for scan in scans]
    if not any(found):
        raise InputError(f"{out} has no results of these scans; run participant first.")
    return found


def read_record(path: Path) -> dict[str, Any] | None:
    """What it says; None where there is none. Raises InputError for another file."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        record = None
    if not isinstance(record, dict) or not record.keys() >= _NEEDED:
        raise InputError(f"{path} is no record of vaead's; delete it, and run participant again.")
    return record
