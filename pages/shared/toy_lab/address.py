"""The toys in the address, so that a link restores them: `kind:value:...:i.j.k:seed~...`, values in the order of the controls;
of one that was drawn, the voxels that the brush passed come last, each counted from the one before: `...:0.0.0*1.0.0*1.-1.0`.

More than fit are counted, and a link that only counts them says that they are no longer here.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from typing import Any

import numpy as np
import streamlit as st

from pages.shared.cached import toys as cached_toys
from pages.shared.cached.scans import OpenScan
from pages.shared.cached.toys import Toys
from vaead_core.anomalies.toys.settings import Setting
from vaead_core.errors import InputError
from vaead_core.pipeline.planting import DRAWN, Planting, Voxel, offered

NAME = "toys"
MOST_LETTERS = 1500  # of the address, which some mail programs and proxies cut at 2,000
LARGEST_SEED = 10**6
LONGEST_STEP = 200  # voxels from one point of a drawn line to the next
GONE = "The toys that this address was made with are no longer here; plant them again."
UNREADABLE = "The toys that this address names cannot be planted in this scan; plant them again."


def begin(scan: OpenScan, foreign: bool = False) -> None:
    """A new session takes the toys from the address, or from a session's file that was opened. foreign: the address was made with
    another scan than this."""
    state = st.session_state
    if "lab_address_read" in state:
        return
    state.lab_address_read, state.lab_lost = True, ""
    given = state.pop("lab_given", "")
    text = given or str(st.query_params.get(NAME, ""))
    if not text or state.lab_toys:
        return
    if (foreign and not given) or text.isdecimal():
        state.lab_lost = GONE
        return
    try:
        if len(text) > MOST_LETTERS and not given:
            raise InputError(UNREADABLE)
        toys = decoded(text, scan)
        cached_toys.planted(scan, toys)
    except InputError:
        state.lab_lost = UNREADABLE.replace("address", "session") if given else UNREADABLE
        return
    state.lab_toys, state.lab_seed = toys, max(toy.seed for toy in toys)


def lost() -> tuple[str, ...]:
    """What to say where the address names toys that are not here, until there are toys again."""
    state = st.session_state
    state.lab_lost = "" if state.lab_toys else state.lab_lost
    return (state.lab_lost,) if state.lab_lost else ()


def note() -> None:
    """The toys there are, for whoever the address is given to."""
    toys = st.session_state.lab_toys
    if toys:
        text = encoded(toys)
        st.query_params[NAME] = text if len(text) <= MOST_LETTERS else str(len(toys))
    else:
        st.query_params.pop(NAME, None)


def encoded(toys: Toys) -> str:
    """Toys as text."""
    return "~".join(
        ":".join([toy.kind, *(_text(value) for _, value in toy.settings), _dotted(toy.centre), str(toy.seed), *_drawn(toy)])
        for toy in toys
    )


def _drawn(toy: Planting) -> list[str]:
    """Of a drawn one its path; nothing of others."""
    steps = np.diff(toy.path or [(0, 0, 0)], axis=0, prepend=0)
    return ["*".join(_dotted(step) for step in steps.tolist())] if toy.kind == DRAWN else []


def _dotted(numbers: Iterable[int]) -> str:
    return ".".join(map(str, numbers))


def decoded(text: str, scan: OpenScan) -> Toys:
    """Toys from text, which whoever takes it in bounds. Raises InputError for what `encoded` never writes."""
    refused = InputError(UNREADABLE)
    try:
        toys = tuple(_planting(part.split(":"), scan) for part in text.split("~"))
    except (ValueError, KeyError, OverflowError) as error:
        raise refused from error
    if len({toy.seed for toy in toys}) < len(toys):
        raise refused
    return toys


def _planting(parts: list[str], scan: OpenScan) -> Planting:
    """One toy. Raises ValueError or KeyError."""
    path = _path(parts.pop()) if parts[0] == DRAWN else ()
    kind, *texts, centre, seed = parts
    settings = offered(kind, scan.preprocessor.spacing_mm)
    values = tuple((one.name, _value(one, text)) for one, text in zip(settings, texts, strict=True))
    i, j, k = (_whole(at, size) for at, size in zip(centre.split("."), scan.preprocessor.slice_grid.atlas.shape, strict=True))
    return Planting(kind, values, (i, j, k), _whole(seed, LARGEST_SEED), path)


def _path(text: str) -> tuple[Voxel, ...]:
    """What `_drawn` wrote. Raises ValueError."""
    steps = np.array([[_step(at) for at in step.split(".")] for step in text.split("*")])
    if steps.ndim != 2 or steps.shape[1] != 3 or steps[0].any():
        raise ValueError(text)
    return tuple((i, j, k) for i, j, k in steps.cumsum(0).tolist())


def _step(text: str) -> int:
    """A whole number, which may be below 0."""
    return -_whole(text[1:], LONGEST_STEP) if text.startswith("-") else _whole(text, LONGEST_STEP)


def _value(setting: Setting, text: str) -> Any:
    if setting.choices:
        return {_text(one): one for one in setting.choices}[text]
    numbers = tuple(float(part) for part in text.split("*"))
    if not all(isfinite(one) and setting.low <= one <= setting.high for one in numbers):
        raise ValueError(text)
    if setting.several:
        return numbers
    (number,) = numbers
    return number


def _whole(text: str, end: int) -> int:
    """A whole number from 0 to less than `end`."""
    if not (text.isascii() and text.isdecimal() and len(text) < 8 and int(text) < end):
        raise ValueError(text)
    return int(text)


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return "*".join(map(_text, value))
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)
