"""Messages over a pipe: a line of JSON, then the bytes of plain arrays, none of them pickled. Whoever reads bounds what is read.

    frames.write(pipe, {"does": "run"}, [images])
    said, [images] = frames.read(pipe, most_bytes=1 << 20)
"""  # fmt: skip

from __future__ import annotations

import json
import math
from typing import Any, BinaryIO

import numpy as np

HEAD_BYTES = 1 << 16
_KINDS: dict[str, np.dtype] = {"float32": np.dtype("<f4"), "uint8": np.dtype("u1")}
Array = np.ndarray
Message = tuple[dict[str, Any], list[Array]]


def write(pipe: BinaryIO, said: dict[str, Any], arrays: list[Array]) -> None:
    """said: what JSON can hold. arrays: float32 or uint8."""
    plain = [np.ascontiguousarray(one) for one in arrays]
    said = said | {"arrays": [[str(one.dtype), *one.shape] for one in plain]}
    pipe.write(json.dumps(said).encode() + b"\n")
    for one in plain:
        pipe.write(one.reshape(-1).view(np.uint8).data)
    pipe.flush()


def read(pipe: BinaryIO, most_bytes: int) -> Message:
    """The next message, whose arrays may have `most_bytes` together. Raises EOFError at the pipe's end, ValueError for what no
    `write` has written."""
    line = pipe.readline(HEAD_BYTES)
    if not line:
        raise EOFError("the pipe's other end is closed")
    try:
        said = json.loads(line)
    except RecursionError as error:
        raise ValueError("not a message") from error
    if not isinstance(said, dict) or not isinstance(described := said.pop("arrays", None), list):
        raise ValueError("not a message")
    made = [_described(one) for one in described]
    if sum(kind.itemsize * math.prod(shape) for kind, shape in made) > most_bytes:
        raise ValueError(f"more than {most_bytes} bytes")
    return said, [_filled(pipe, kind, shape) for kind, shape in made]


def _described(one: Any) -> tuple[np.dtype, tuple[int, ...]]:
    if not isinstance(one, list) or len(one) > 6 or not one or one[0] not in _KINDS:
        raise ValueError("not an array")
    kind, shape = one[0], tuple(one[1:])
    if not all(type(length) is int and length >= 0 for length in shape):
        raise ValueError("not a shape")
    return _KINDS[kind], shape


def _filled(pipe: BinaryIO, kind: np.dtype, shape: tuple[int, ...]) -> Array:
    array = np.empty(math.prod(shape), kind)
    left = array.view(np.uint8).data
    while left:
        if not (got := pipe.readinto(left)):  # type: ignore[attr-defined]
            raise EOFError("the pipe's other end was closed")
        left = left[got:]
    return array.reshape(shape)
