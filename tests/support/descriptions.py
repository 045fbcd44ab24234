"""What the smallest checkpoint.json says."""

import json
from typing import Any

from vaead_core.checkpoints.interchange import METADATA
from vaead_core.checkpoints.onnx_properties import without_properties

TRAINING = {"images": "slices", "data": None, "epochs": 3, "seed": 0}


def description(**said: Any) -> dict[str, Any]:
    """A description that `Provenance.read` takes, with the entries of `said` in place of its own."""
    smallest = {"architecture": {"name": "simple_vae"}, "training": TRAINING, "data": {"description": "six brains"}}
    return {**smallest, **said}


_deep: list = []
for _ in range(60):
    _deep = [_deep]
BAD = {
    "a number of 401 digits": 10**400, "a number of 20 digits": 10**19, "infinity": float("inf"), "no number": float("nan"),
    "too large a number": "1e400", "a list": [1, "x", None], "no list": [], "a table": {"x": {"y": [1]}}, "no table": {},
    "nothing": None, "no text": "", "a long text": "x" * 200_000, "half a character": "\ud800", "a zero byte": "a\0b",
    "less than none": -1, "true": True, "deep": _deep,
}  # fmt: skip


def written(said: Any) -> bytes:
    """As JSON; a number that JSON's reader makes infinite is written as it is."""
    return json.dumps(said).replace('"1e400"', "1e400").encode()


def older(files: dict[str, bytes]) -> dict[str, bytes]:
    """Those of a checkpoint that tells other tools nothing, and so does not contradict a description that is changed."""
    kept = {name: content for name, content in files.items() if name != METADATA}
    return {name: without_properties(content) if name.endswith(".onnx") else content for name, content in kept.items()}
