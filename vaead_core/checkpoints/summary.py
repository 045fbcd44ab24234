"""What a checkpoint folder says of itself, read without opening its network: for lists, and to lay two side by side."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vaead_core.checkpoints.checkpoint import DESCRIPTION
from vaead_core.checkpoints.provenance import Provenance, read_preprocessor
from vaead_core.errors import CheckpointError, refusing

History = dict[str, list[float]]
_LONG = 200
_ELSEWHERE = ("files", "reconstruction", "notes")  # shown by themselves, or of no use beside another


@dataclass(frozen=True)
class Facts:
    """megabytes: on disk. ratios: subset → squared error of its redrawn images over that of the healthy mean image."""

    name: str
    images: str
    architecture: str
    latents: int | None
    epochs: int
    megabytes: float
    ratios: dict[str, float]
    of_brains: bool
    settings: dict[str, str]


def facts(folder: Path) -> Facts:
    """Raises CheckpointError when its description cannot be read."""
    unreadable = CheckpointError(f"{DESCRIPTION} of {folder.name} cannot be read; copy the checkpoint again.")
    with refusing(unreadable):
        said = json.loads((folder / DESCRIPTION).read_bytes())
        provenance, of_brains = Provenance.read(dict(said)), read_preprocessor(said) is not None
        settings = _settings(said)
        megabytes = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    architecture, training = provenance.architecture, provenance.training
    return Facts(
        folder.name, _text(training.images), _text(architecture["name"]), _count(architecture.get("latent_size")),
        training.epochs, megabytes, {subset: error.ratio for subset, error in provenance.reconstruction.items()}, of_brains,
        settings,
    )  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """One setting of two checkpoints; None where one does not have it."""

    name: str
    first: str | None
    second: str | None

    @property
    def differs(self) -> bool:
        return self.first != self.second


def side_by_side(first: Facts, second: Facts) -> list[Setting]:
    """Every setting that either has, those that differ first."""
    names = sorted({*first.settings, *second.settings})
    rows = [Setting(name, first.settings.get(name), second.settings.get(name)) for name in names]
    return sorted(rows, key=lambda row: not row.differs)


def read_history(text: str) -> History:
    """Column → a value for each epoch, of a history.csv; empty without a whole row. Raises CheckpointError."""
    try:
        rows = list(csv.DictReader(text.splitlines()))
        columns: History = {name: [float(row[name]) for row in rows] for name in (rows[0] if rows else [])}
    except (csv.Error, ValueError, TypeError) as error:
        raise CheckpointError("history.csv does not hold a number for each column; copy the checkpoint again.") from error
    return columns if "epoch" in columns and all(map(math.isfinite, columns["epoch"])) else {}


def _settings(said: dict[str, Any]) -> dict[str, str]:
    """Dotted name → text, by name; the architecture once, though training holds it too."""
    flat = _flat({name: value for name, value in said.items() if name not in _ELSEWHERE})
    return {name: flat[name] for name in sorted(flat) if not name.startswith("training.architecture.")}


def _flat(value: Any, name: str = "") -> dict[str, str]:
    if isinstance(value, dict) and value:
        found: dict[str, str] = {}
        for key, inner in value.items():
            found |= _flat(inner, f"{name}.{key}" if name else str(key))
        return found
    if isinstance(value, list) and len(value) > 3:
        return {name[:_LONG]: f"{len(value)} entries"}
    return {name[:_LONG]: _text(value)}


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else "none" if value is None else json.dumps(value)
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"


def _count(value: Any) -> int | None:
    return value if type(value) is int else None
