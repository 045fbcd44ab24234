"""Entries of a description that nobody vouches for: each is looked up by its path and checked; ValueErrors name it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar, get_args, get_origin

from vaead_core.errors import quoted

DEPTH, LARGEST = 16, 2**63 - 1  # of what is said: how deep, and what tables of the app take

T = TypeVar("T")


def check_can_be_shown(value: Any, path: str = "", depth: int = 0) -> None:
    """Raises ValueError for the first entry that no page can show: no finite number of 64 bits, no whole text, or too deep."""
    name = quoted(path) or "it"
    if depth > DEPTH:
        raise ValueError(f"{name} is too deep")
    if type(value) in (int, float) and not -LARGEST <= value <= LARGEST:
        raise ValueError(f"{name} must be a finite number" if isinstance(value, float) else f"{name} has too many digits")
    if isinstance(value, str) and ("\0" in value or not _is_whole(value)):
        raise ValueError(f"{name} is no text")
    inner = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list | tuple) else ()
    for key, one in inner:
        check_can_be_shown(key, f"a name in {name}", depth)
        check_can_be_shown(one, f"{path}.{key}" if path else str(key), depth + 1)


def _is_whole(text: str) -> bool:
    """Without halves of characters, which JSON can hold and no page can show."""
    return not any("\ud800" <= sign <= "\udfff" for sign in text)


_NEEDED = object()


def entry(said: Mapping[str, Any], path: str, check: Callable[[Any], T], default: Any = _NEEDED) -> T:
    """The entry that `path` ends in, checked; `default` where it is missing. Raises ValueError."""
    name = path.rsplit(".", 1)[-1]
    value = said.get(name, default)
    if value is _NEEDED:
        raise ValueError(f"it lacks {path}")
    try:
        return check(value)
    except TypeError as error:
        raise ValueError(f"{path} must be {error}") from error


def tables(said: Mapping[str, Any], name: str) -> dict[str, dict[str, Any]]:
    """The tables of a table, by their names; {} where it is missing. Raises ValueError."""
    found = entry(said, name, table, {})
    return {key: entry(found, f"{name}.{key}", table) for key in found}


def _kind(value: Any, kinds: tuple[type, ...], meant: str) -> Any:
    if type(value) not in kinds:  # True is no number here
        raise TypeError(meant)
    return value


def text(value: Any) -> str:
    """A check, as all below: raises TypeError, which says what was meant."""
    return str(_kind(value, (str,), "text"))


def text_or_none(value: Any) -> str | None:
    """Text, or null."""
    return None if value is None else text(value)


def count(value: Any) -> int:
    """A whole number from 0 on."""
    if _kind(value, (int,), "a whole number") < 0:
        raise TypeError("0 or more")
    return int(value)


def number(value: Any) -> float:
    """Any number."""
    return float(_kind(value, (int, float), "a number"))


def finite(value: Any) -> float:
    """A number that is neither infinite nor none."""
    if not math.isfinite(number(value)):
        raise TypeError("a finite number")
    return float(value)


def setting(kind: Any) -> Callable[[Any], Any]:
    """The check of a preprocessor's setting: one of those named, a flag or a number."""
    if get_origin(kind) is not Literal:
        return count if kind is int else lambda value: _kind(value, (kind,), "true or false")

    def chosen(value: Any) -> Any:
        if (type(value), value) not in [(type(one), one) for one in get_args(kind)]:
            raise TypeError(f"one of {', '.join(map(str, get_args(kind)))}")
        return value

    return chosen


def table(value: Any) -> dict[str, Any]:
    """Names and values."""
    return dict(_kind(value, (dict,), "a table of names and values"))


def tuple_of(check: Callable[[Any], T]) -> Callable[[Any], tuple[T, ...]]:
    """A list of what `check` takes."""
    return lambda value: tuple(check(one) for one in _kind(value, (list, tuple), "a list"))
