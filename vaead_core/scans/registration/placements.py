"""Where the scans that vaead carries lie on the atlas, so that nobody waits for it; `python -m training.samples` writes it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

import numpy as np

from vaead_core.scans.content import content
from vaead_core.scans.geometry import Placement
from vaead_core.scans.volume import Volume

FILE = Path(__file__).with_name("placements.json")


@lru_cache(maxsize=1)
def known() -> dict[bytes, Placement]:
    """By the content of the scan."""
    held = json.loads(FILE.read_text())
    return {bytes.fromhex(key): Placement(np.array(one.pop("matrix")), **one) for key, one in held.items()}


def as_json(placed: Iterable[tuple[Volume, Placement]]) -> str:
    """What `known` reads, a line each."""
    held = {content(scan).hex(): asdict(one) | {"matrix": one.matrix.tolist()} for scan, one in placed}
    return "{\n" + ",\n".join(f"{json.dumps(key)}: {json.dumps(one)}" for key, one in held.items()) + "\n}\n"
