"""The record of a scan: where it lies and how it is read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.checkpoints.site import Site
from vaead_core.computing.checkout import PACKAGE
from vaead_core.computing.code import code_digest, digest_of
from vaead_core.errors import InputError
from vaead_core.study.dataset import StudyScan

_NEEDED = {"scan", "participant_id", "sentence", "made_of", "files"}


def record_file(out: Path, scan: StudyScan) -> Path:
    """It is written last of a scan's results, and tells of the others."""
    return out / scan.name.folder / f"{scan.name.made('scores').stem}.json"


def made_of(
    content: bytes | None, mask: bytes | None, checkpoint: Checkpoint, site: Site | None, chosen: dict[str, Any]
) -> dict[str, Any]:
    """All that results depend on. content, mask: files, None where there is none. chosen: options by name."""
    digests = {
        "scan": _digest(content), "mask": _digest(mask),
        "checkpoint": checkpoint.digest, "site": site.digest if site else None,
        "code": code_digest(), "figures": digest_of(PACKAGE / "figures"),
    }  # fmt: skip
    return json.loads(json.dumps(digests | chosen))


def record_of(scan: StudyScan, of: dict[str, Any] | None, sentence: str | None, made: dict[str, Any]) -> dict[str, Any]:
    """What is told of a scan. of: as `made_of`. sentence: why it has no maps. made: as `derivatives` ends, with `files`."""
    return {
        "scan": scan.inside, "participant_id": scan.participant, "entities": dict(scan.name.entities),
        "sentence": sentence, "made_of": of, **made, "files": [*made["files"], scan.name.page],
    }  # fmt: skip


def record_text(record: dict[str, Any]) -> str:
    """As it stands in its file."""
    return json.dumps(record, indent=1, ensure_ascii=False) + "\n"


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


def _digest(content: bytes | None) -> str | None:
    return None if content is None else hashlib.sha256(content).hexdigest()
