"""A session as a file: what the addresses of the app hold, and by which content it was made. No scan, no map, no verdict."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from typing import Any

from vaead_core import __version__
from vaead_core.checkpoints.entries import check_can_be_shown, count, entry, finite, table, text, tuple_of
from vaead_core.errors import InputError, quoted

VERSION, NAMED = 1, "vaead_session"
MOST_BYTES = 1 << 16
SLOTS = {"upload": "scan", "truth": "truth", "mask": "mask of the brain", "second": "second scan"}  # files of a session
_MOST_LETTERS, _MOST_ENTRIES = 2000, 64
MOST_TOYS = 1 << 15  # letters of the lab's toys
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class File:
    """What is known of an upload: enough to know it again."""

    name: str
    size: int
    sha256: str

    @staticmethod
    def of(name: str, content: bytes) -> File:
        return File(name, len(content), hashlib.sha256(content).hexdigest())


@dataclass(frozen=True)
class Named:
    """A checkpoint by name, and by the digest of its folder."""

    name: str
    digest: str


@dataclass(frozen=True)
class Compared:
    """kind, scan: as in Explore's lists. checkpoint: the second one. maps: of both. thresholds: of both."""

    kind: str
    checkpoint: Named | None
    scan: str
    maps: tuple[str, ...]
    thresholds: tuple[float, ...]


@dataclass(frozen=True)
class Lab:
    """The toy lab's scan, as in its list, and the toys in it, as in its address."""

    scan: str
    toys: str


@dataclass(frozen=True)
class Session:
    """scan: as in Explore's list. files: those of SLOTS that were uploaded. methods: by name. thresholds: by a map's title."""

    checkpoint: Named
    scan: str
    methods: tuple[str, ...]
    scale: str
    crosshair: tuple[int, ...]
    thresholds: dict[str, float]
    compared: Compared | None = None
    lab: Lab | None = None
    files: dict[str, File] = field(default_factory=dict)

    def to_json(self) -> str:
        """The file."""
        head = {NAMED: VERSION, "made_by": f"vaead {__version__}", "page": "explore"}
        return json.dumps(head | asdict(self), indent=1, ensure_ascii=False) + "\n"


def read(content: bytes, name: str) -> Session:
    """name: of the file, for sentences. Raises InputError."""
    called = quoted(name)
    if len(content) > MOST_BYTES:
        raise InputError(f"{called} is larger than a session's file can be, {MOST_BYTES >> 10} kB; choose a file that Save made.")
    try:
        said = table(json.loads(content))
        check_can_be_shown(said)
        version = entry(said, NAMED, count)
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(f"{called} is no session of vaead; choose a file that Save made, vaead_session.json.") from error
    if version != VERSION:
        raise InputError(f"{called} is a session of version {version}, and this vaead reads version {VERSION}; update vaead.")
    try:
        return _session(said)
    except ValueError as error:
        raise InputError(f"{called} is a session that was changed or damaged: {quoted(error, 200)}.") from error


def _session(said: dict[str, Any]) -> Session:
    """Raises ValueError."""
    compared, lab = entry(said, "compared", _table_or_none, None), entry(said, "lab", _table_or_none, None)
    files = entry(said, "files", table, {})
    if unknown := set(files) - set(SLOTS):
        raise ValueError(f"it holds a file of an unknown kind, {min(unknown)}")
    thresholds = {key: _threshold(_line(key), one) for key, one in entry(said, "thresholds", table).items()}
    if len(thresholds) > _MOST_ENTRIES:
        raise ValueError("it has too many thresholds")
    crosshair = entry(said, "crosshair", tuple_of(count))
    if len(crosshair) not in (0, 3):
        raise ValueError("crosshair must be three numbers")
    return Session(
        checkpoint=_named(entry(said, "checkpoint", table)),
        scan=entry(said, "scan", _line),
        methods=entry(said, "methods", _lines),
        scale=entry(said, "scale", _line),
        crosshair=crosshair,
        thresholds=thresholds,
        compared=_compared(compared) if compared else None,
        lab=_lab(lab) if lab else None,
        files={slot: _file(entry(files, slot, table), slot) for slot in files},
    )


def _threshold(title: str, value: Any) -> float:
    """A title may have dots, which `entry` takes for a path."""
    try:
        return finite(value)
    except TypeError as error:
        raise ValueError(f"{title} must be {error}") from error


def _named(said: dict[str, Any]) -> Named:
    return Named(entry(said, "checkpoint.name", _line), entry(said, "checkpoint.digest", _line))


def _compared(said: dict[str, Any]) -> Compared:
    other = entry(said, "compared.checkpoint", _table_or_none, None)
    thresholds = entry(said, "compared.thresholds", tuple_of(finite))
    if len(thresholds) not in (0, 2):
        raise ValueError("compared.thresholds must be two")
    kind, scan = entry(said, "compared.kind", _line), entry(said, "compared.scan", _line)
    return Compared(kind, _named(other) if other else None, scan, entry(said, "compared.maps", _lines), thresholds)


def _lab(said: dict[str, Any]) -> Lab:
    return Lab(entry(said, "lab.scan", _line), entry(said, "lab.toys", _toys))


def _file(said: dict[str, Any], slot: str) -> File:
    found = File(entry(said, f"{slot}.name", _line), entry(said, f"{slot}.size", count), entry(said, f"{slot}.sha256", text))
    if not _SHA256.fullmatch(found.sha256):
        raise ValueError(f"{slot}.sha256 must be 64 letters from 0 to f")
    return found


def _line(value: Any) -> str:
    found = text(value)
    if len(found) > _MOST_LETTERS:
        raise TypeError(f"at most {_MOST_LETTERS} letters")
    return found


def _toys(value: Any) -> str:
    found = text(value)
    if len(found) > MOST_TOYS:
        raise TypeError(f"at most {MOST_TOYS} letters")
    return found


def _lines(value: Any) -> tuple[str, ...]:
    found = tuple_of(_line)(value)
    if len(found) > _MOST_ENTRIES:
        raise TypeError(f"at most {_MOST_ENTRIES} names")
    return found


def _table_or_none(value: Any) -> dict[str, Any] | None:
    return None if value is None else table(value)
