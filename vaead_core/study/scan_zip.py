"""What `participant` would write of one scan, as one .zip: for whoever looks at it in the app."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.pipeline.scoring import PreparedScan, Scale, Scored
from vaead_core.scans.names import stem
from vaead_core.study.dataset import StudyScan
from vaead_core.study.derivatives import Reader, derivatives
from vaead_core.study.description import files_of_one
from vaead_core.study.names import name_for
from vaead_core.study.records import made_of, record_file, record_of, record_text
from vaead_core.study.scan_page import scan_page

COMMAND = "vaead, on the Explore page"
_PACKED = (".gz", ".webp")  # they get no smaller


def scan_zip(
    called: str, prepared: PreparedScan, results: list[Scored], checkpoint: Checkpoint, scale: Scale, rate: float,
    reader: Reader, content: bytes | None = None, mask: bytes | None = None,
) -> bytes:  # fmt: skip
    """A dataset of the results of one scan. Its bytes depend on what is in it alone.

    called: the scan's file, of whose name the participant's label is made. rate, reader: as of `derivatives`. content, mask: of
    the scan's file and of its brain's, where they came as such.
    """
    scan = _scan(called)
    chosen = {
        "scorers": [one.name for one in results],
        "scale": scale,
        "strip": None,
        "rate": rate,
        "command": COMMAND,
        "limits": False,
    }
    of = made_of(content, mask, checkpoint, results[0].site if results else None, chosen)
    files: dict[str, bytes | str] = {**files_of_one(scan.participant)}
    written: list[str] = []
    told: dict[str, Any] = {}
    for place, made in derivatives(scan, prepared, results, checkpoint, rate, COMMAND, reader=reader):
        if isinstance(made, dict):
            told = made
        else:
            files[place] = made
            written.append(place)
    record = record_of(scan, of, None, told | {"files": written})
    picture = files[scan.name.picture]
    files[scan.name.page] = scan_page(record, picture if isinstance(picture, bytes) else None)
    files[record_file(Path(), scan).as_posix()] = record_text(record)
    return _zipped(files)


def _scan(called: str) -> StudyScan:
    """As a dataset would hold it."""
    name = name_for(stem(called))
    inside = f"{name.folder}/{name.stem}{'.nii' if called.lower().endswith('.nii') else '.nii.gz'}"
    return StudyScan(Path(inside), inside, name)


def _zipped(files: dict[str, bytes | str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_STORED if name.endswith(_PACKED) else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return packed.getvalue()
