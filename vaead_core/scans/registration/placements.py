"""Placements that need not be found again: of the scans that vaead carries, and those kept in the folder $VAEAD_PLACEMENTS."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from vaead_core.computing.checkout import PACKAGE
from vaead_core.computing.code import digest_of
from vaead_core.computing.whole_file import write_whole
from vaead_core.scans.content import content
from vaead_core.scans.geometry import Placement
from vaead_core.scans.volume import Volume

FILE = Path(__file__).with_name("placements.json")  # written by `python -m training.samples`
FOLDER = "VAEAD_PLACEMENTS"


def find(key: bytes) -> Placement | None:
    """That of the scan whose content has this digest: carried, or kept by the same code; None if there is none."""
    if key in carried():
        return carried()[key]
    if (file := _file(key)) is None:
        return None
    try:
        return _read(json.loads(file.read_text()))
    except (OSError, ValueError, TypeError, KeyError):  # none yet, or a damaged one
        return None


def keep(key: bytes, placement: Placement) -> None:
    """For the next run, where there is a folder for it; one that cannot be written to costs that run its seconds alone."""
    if (file := _file(key)) is not None:
        with suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, json.dumps(_told(placement)))


@lru_cache(maxsize=1)
def carried() -> dict[bytes, Placement]:
    """Those of vaead's own scans, by their content."""
    return {bytes.fromhex(key): _read(told) for key, told in json.loads(FILE.read_text()).items()}


def as_json(placed: Iterable[tuple[Volume, Placement]]) -> str:
    """What `carried` reads, a line each."""
    lines = [f"{json.dumps(content(scan).hex())}: {json.dumps(_told(placement))}" for scan, placement in placed]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _file(key: bytes) -> Path | None:
    folder = os.environ.get(FOLDER)
    return Path(folder) / f"{key.hex()}-{_code()}.json" if folder else None


@lru_cache(maxsize=1)
def _code() -> str:
    """What finds placements: others' are not taken for what this would find."""
    return f"{digest_of(PACKAGE / 'scans')}-{version('SimpleITK')}"


def _told(placement: Placement) -> dict[str, Any]:
    return asdict(placement) | {"matrix": placement.matrix.tolist()}


def _read(told: dict[str, Any]) -> Placement:
    found = Placement(**told | {"matrix": np.array(told["matrix"], float)})
    if found.matrix.shape != (4, 4) or not np.isfinite(found.matrix).all():
        raise ValueError("not a matrix of a placement")
    return found
