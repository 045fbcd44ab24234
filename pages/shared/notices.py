"""Sentences that hold what somebody else wrote, such as a file's name: shown as they are, never as markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from vaead_core.errors import InputError, fault

_SIGNS = re.compile(r"[\\`*_\[\]<>#~$|!&]|:(?=\S)")
_LINE_STARTS = re.compile(r"^([-+=]|\d+(?=[.)]))")


def plain(sentence: object) -> str:
    """Markdown that shows `sentence` letter by letter, on one line: no link, picture, formula, list or colour comes of it."""
    line = " ".join(str(sentence).split())
    line = _SIGNS.sub(lambda sign: f"\\{sign[0]}", line)
    return _LINE_STARTS.sub(lambda start: f"\\{start[0]}" if start[0] in "-+=" else f"{start[0]}\\", line)


def refuse(error: object) -> None:
    """Says what is wrong with what was given."""
    st.error(plain(error))


@contextmanager
def faults() -> Iterator[None]:
    """Says what is wrong with what was given, or what the machine lacks, in place of a page that breaks off."""
    try:
        yield
    except Exception as error:
        if (said := sentence(error)) is None:
            raise
        refuse(said)


def sentence(error: Exception) -> str | None:
    """What is told of it; None for a programmer's mistake."""
    return str(error) if isinstance(error, InputError) else fault(error)


def warn(sentence: str) -> None:
    """Says what to keep in mind."""
    st.warning(plain(sentence))
