"""Sentences that hold what somebody else wrote, such as a file's name: shown as they are, never as markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from vaead_core.errors import InputError, fault

_SIGNS = re.compile(r"[\\`*_\[\]<>#~$|!&]|:(?=\S)")
_LINE_STARTS = re.compile(r"^([-+=]|\d+(?=[.)]))")
_MADE_LATER = re.compile(  # of what Streamlit 1.67 makes links, icons and arrows though its signs are escaped: after these
    r"(?<=http:)(?=//)|(?<=https:)(?=//)|(?<=www)(?=\.)|(?<=@)(?=[\w-])|(?<=:)(?=[\w+/-]+:|material/)"
    r"|(?<=(?<!\S)[-<>~])(?=->?(?!\S)|=(?!\S)|>(?!\S))",
    re.IGNORECASE,
)
_BREAK = "\u2060"  # a word joiner: no sign of its own, and no space
_UNSEEN = re.compile("[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")  # controls, what turns a line, halves


def plain(sentence: object) -> str:
    """Markdown that shows `sentence` letter by letter, on one line: no link, picture, formula, list or icon comes of it."""
    line = _UNSEEN.sub("\ufffd", " ".join(str(sentence).split()))
    line = _MADE_LATER.sub(_BREAK, line)
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
