"""What the app keeps of its computations, for all sessions: by content, bounded by bytes, the least used is dropped first,
and found again as long as any session holds it.

    @cached
    def native(scan, name, _scale): ...     # the key is the function and its arguments without an underscore,
                                            # where one that has a `digest` is known by that

What is not at hand is computed in its turn, once, whoever else asks for the same meanwhile.
"""  # fmt: skip

from __future__ import annotations

import inspect
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import fields, is_dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from weakref import WeakValueDictionary

from pages.shared.server import memory, queue
from vaead_core.computing.machine import memory_limit

MOST_BYTES = int(os.environ.get("VAEAD_CACHE_MB", 0)) << 20 or min(2 << 30, memory_limit() // 4)

P = ParamSpec("P")
R = TypeVar("R")
Key = tuple[Hashable, ...]
_kept: OrderedDict[Key, tuple[Any, int]] = OrderedDict()
_dropped: WeakValueDictionary[Key, Any] = WeakValueDictionary()  # what was too much to keep
_NOT_HERE = object()
_underway: dict[Key, threading.Event] = {}
_changing = threading.Lock()


def cached(compute: Callable[P, R], quick: bool = False) -> Callable[P, R]:
    """`compute`, whose results are kept. quick: it takes some tenths of a second of what was computed before."""
    signature = inspect.signature(compute)
    about = [name for name in signature.parameters if not name.startswith("_")]

    @wraps(compute)
    def found(*arguments: P.args, **named: P.kwargs) -> R:
        given = signature.bind(*arguments, **named).arguments
        key = (compute.__module__, compute.__qualname__, *(getattr(given[name], "digest", given[name]) for name in about))
        with _changing:
            if (here := _at_hand(key)) is not _NOT_HERE:
                return here
        with queue.turn(quick):
            return _computed(key, lambda: compute(*arguments, **named))

    return found


def quickly_cached(compute: Callable[P, R]) -> Callable[P, R]:
    """The same of what takes a moment, and waits for nobody's scan."""
    return cached(compute, quick=True)


def forget_all(digest: Hashable) -> None:
    """Drops all results with `digest` in their key."""
    with _changing:
        for place in (_kept, _dropped):
            for key in [key for key in place if _holds(key, digest)]:
                place.pop(key, None)  # it may be gone meanwhile, held by nobody


def kept(function: Callable) -> list[Any]:
    """The results of one function that are kept, or that somebody holds."""
    with _changing:
        here = [*((key, value) for key, (value, _) in _kept.items()), *_dropped.items()]
    return [value for key, value in here if key[:2] == (function.__module__, function.__qualname__)]


def kept_bytes() -> int:
    """What is kept, in bytes."""
    with _changing:
        return sum(size for _, size in _kept.values())


def bytes_of(value: Any) -> int:
    """Of arrays, tables, text and bytes in dataclasses and containers, and of whatever says it by `nbytes`."""
    if hasattr(value, "nbytes"):
        return int(value.nbytes)
    if isinstance(value, (bytes, str)):
        return len(value)
    if is_dataclass(value):
        return sum(bytes_of(getattr(value, field.name)) for field in fields(value))
    if isinstance(value, dict):
        return sum(map(bytes_of, value.values()))
    if isinstance(value, (list, tuple)):
        return sum(map(bytes_of, value))
    if hasattr(value, "memory_usage"):
        return int(value.memory_usage(deep=True).sum())
    return 64  # a number, or something as small


def _computed(key: Key, compute: Callable[[], R]) -> R:
    """Whoever is here has a turn, so that whoever computes the same goes on meanwhile."""
    while True:
        with _changing:
            if (here := _at_hand(key)) is not _NOT_HERE:
                return here
            if (other := _underway.get(key)) is None:
                _underway[key] = mine = threading.Event()
                break
        other.wait()
    try:
        memory.refuse_when_short()
        value = compute()
        with _changing:
            _keep(key, value)
        return value
    finally:
        with _changing:
            del _underway[key]
        mine.set()


def _at_hand(key: Key) -> Any:
    """What was computed before, or _NOT_HERE."""
    if key in _kept:
        _kept.move_to_end(key)
        return _kept[key][0]
    value = _dropped.pop(key, _NOT_HERE)
    if value is not _NOT_HERE:
        _keep(key, value)
    return value


def _keep(key: Key, value: Any) -> None:
    _kept[key] = value, bytes_of(value)
    total = sum(size for _, size in _kept.values())
    while total > MOST_BYTES and len(_kept) > 1:
        total -= _drop_oldest()


def _drop_oldest() -> int:
    """Its bytes."""
    key, (value, size) = _kept.popitem(last=False)
    with suppress(TypeError):  # Python has no weak references to lists and tuples
        _dropped[key] = value
    return size


def _drop_all() -> None:
    with _changing:
        while _kept:
            _drop_oldest()


memory.drop_when_short(_drop_all)


def _holds(key: Hashable, wanted: Hashable) -> bool:
    return key == wanted or (isinstance(key, tuple) and any(_holds(one, wanted) for one in key))
