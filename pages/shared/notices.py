"""Sentences that hold what somebody else wrote, such as a file's name: shown as they are, never as markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
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
LINE = 90  # letters that a line above pictures has room for
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


def warn_in_lines(sentences: Sequence[str]) -> None:
    """The same of several, above pictures: each begins on a line of its own, and “Why?” opens what lines have no room for."""
    lines = [_beginning(one) for one in sentences]
    if not lines:
        return
    cut = lines != list(sentences)
    place, *more = st.columns([7, 1] if cut else 1, gap="small", vertical_alignment="center")
    place.warning("  \n".join(map(plain, lines)))
    for column in more:
        with column.popover("Why?"):
            for sentence in sentences:
                st.markdown(plain(sentence))


def _beginning(sentence: str) -> str:
    """As many of its clauses as a line has room for, and at least the first.

    >>> _beginning("Half of it is bright: more than a lesion is. Another scanner, contrast or skull-stripping looks like that.")
    'Half of it is bright: more than a lesion is'
    """
    ends = [found.start() for found in re.finditer(r"[.:;] ", sentence)]
    if len(sentence) <= LINE or not ends:
        return sentence
    return sentence[: max([end for end in ends if end <= LINE], default=ends[0])]
