"""Brains that networks found, kept in the folder for work: finding one takes longer than all else of a scan."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from vaead_core.computing.code import code_digest
from vaead_core.computing.whole_file import write_whole
from vaead_core.scans.heads import with_brain
from vaead_core.scans.stripping import only
from vaead_core.scans.volume import Array, Volume


def with_kept_brain(scan: Volume, content: bytes, extract: bool | None, folder: Path | None) -> Volume:
    """As `with_brain`, which is asked where the `folder` holds no brain of the file's `content` by the same code."""
    if folder is None:
        return with_brain(scan, extract)
    key = hashlib.sha256(f"{hashlib.sha256(content).hexdigest()} {extract} {code_digest()}".encode()).hexdigest()
    file = folder / f"{key}.npz"
    if (kept := _read(file, scan.data.shape)) is not None:
        brain, notes = kept
        return replace(only(brain, scan, "networks"), notes=notes)
    found = with_brain(scan, extract)
    if found.brain_by == "networks" and found.brain is not None:
        packed = io.BytesIO()
        np.savez_compressed(packed, brain=np.packbits(found.brain), notes=np.array(json.dumps(found.notes)))
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(file, packed.getvalue())
    return found


def _read(file: Path, shape: tuple[int, ...]) -> tuple[Array, tuple[str, ...]] | None:
    """None where there is no such file, or a damaged one."""
    try:
        with np.load(file, allow_pickle=False) as held:
            count = int(np.prod(shape))
            brain = np.unpackbits(held["brain"], count=count).reshape(shape).astype(bool)
            return brain, tuple(json.loads(str(held["notes"])))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
