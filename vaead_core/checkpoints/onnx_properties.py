"""What an ONNX file says of itself: the metadata_props of its model, read and written within bounds, as plain text."""

from __future__ import annotations

from collections.abc import Mapping

from vaead_core.checkpoints.protobuf import fields, pieces, written
from vaead_core.errors import CheckpointError, refusing

MODEL = frozenset((*range(1, 9), 14))  # fields of onnx.proto's ModelProto that exporters write: no functions, nothing of training
_PROPERTIES, _KEY, _VALUE = 14, 1, 2
_MOST, _MOST_BYTES = 64, 4096  # of one file; of one of them


def properties(content: bytes, name: str) -> dict[str, str]:
    """By its key, what a model says of itself. Raises CheckpointError for what is no plain text, twice there or too long."""
    with refusing(CheckpointError(f"{name} is not an ONNX graph; copy the checkpoint again."), IndexError, ValueError):
        held = [part for number, part in fields(memoryview(content), MODEL) if number == _PROPERTIES]
    damaged = CheckpointError(f"What {name} says of itself is damaged; copy the checkpoint again.")
    found: dict[str, str] = {}
    with refusing(damaged, IndexError, ValueError):
        if len(held) > _MOST or any(len(part) > _MOST_BYTES for part in held):
            raise ValueError("more than any exporter says")
        for part in held:
            entry = list(fields(part, frozenset((_KEY, _VALUE))))
            numbers = [number for number, _ in entry]
            said = {number: bytes(text).decode() for number, text in entry}
            key, value = said.get(_KEY, ""), said.get(_VALUE, "")
            if len(set(numbers)) < len(numbers) or not key or key in found or not (key + value).isprintable():
                raise ValueError("no key with its text")
            found[key] = value
    return found


def without_properties(content: bytes) -> bytes:
    """The file without them: what runs of it. Raises ValueError and IndexError where it is no ONNX file."""
    kept = [whole for number, _, whole in pieces(memoryview(content), MODEL) if number != _PROPERTIES]
    return b"".join(kept)


def with_properties(content: bytes, said: Mapping[str, str]) -> bytes:
    """The file with these in place of its own; all its other bytes stay as they are."""
    entries = (written(_KEY, key.encode()) + written(_VALUE, value.encode()) for key, value in said.items())
    return without_properties(content) + b"".join(written(_PROPERTIES, entry) for entry in entries)
