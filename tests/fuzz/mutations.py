"""Bytes, changed as damage or malice changes them."""

from __future__ import annotations

import gzip

import numpy as np

EDGES = (0, 1, 2, 127, 128, 255)
MARKUP = b"<script>window.attacked = 1</script>![x](//elsewhere.example)"


def mutated(content: bytes, rng: np.random.Generator, within: int | None = None) -> bytes:
    """`content` with one to eight changes, those of single bytes among its first `within`."""
    changed = bytearray(content)
    for _ in range(int(rng.integers(1, 9))):
        length = min(within or len(changed), len(changed))
        if length < 8:
            break
        start = int(rng.integers(length))
        stop = min(len(changed), start + int(rng.integers(1, 64)))
        match rng.choice(("bit", "edge", "edge", "noise", "markup", "cut", "repeat", "end")):
            case "bit":
                changed[start] ^= 1 << int(rng.integers(8))
            case "edge":
                changed[start] = int(rng.choice(EDGES))
            case "noise":
                changed[start:stop] = rng.bytes(stop - start)
            case "markup":
                changed[start:stop] = MARKUP[: stop - start]
            case "cut":
                del changed[start:stop]
            case "repeat":
                changed[start:start] = changed[start:stop]
            case "end":
                del changed[max(8, len(changed) - int(rng.integers(1, 1 + len(changed) // 2))) :]
    return bytes(changed)


def number(rng: np.random.Generator, kind: np.dtype) -> np.generic:
    """A value at which arithmetic of `kind` changes its ways."""
    if kind.kind == "f":
        return kind.type(rng.choice([np.nan, np.inf, -np.inf, 0, -1, 1, 2.5, 1e-38, 1e-6, 1e6, 1e20, 3e38, -3e38, 352, 540]))
    limits = np.iinfo(kind)
    return kind.type(np.clip(int(rng.choice([0, 1, 2, 3, 4, 7, 16, 64, 127, 255, 256, 512, 32767, -1, -32768])), *_range(limits)))


def packed(content: bytes, rng: np.random.Generator) -> bytes:
    """Gzipped: whole, in two members, with something behind it, or with damage."""
    whole = gzip.compress(content, 1, mtime=0)
    match rng.choice(("whole", "members", "behind", "damaged")):
        case "members":
            half = int(rng.integers(len(content) + 1))
            return gzip.compress(content[:half], 1) + gzip.compress(content[half:], 1)
        case "behind":
            return whole + rng.bytes(20)
        case "damaged":
            return mutated(whole, rng)
    return whole


def _range(limits: np.iinfo) -> tuple[int, int]:
    return int(limits.min), int(limits.max)
