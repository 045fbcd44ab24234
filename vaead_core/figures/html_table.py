"""A table of a self-contained page."""

from __future__ import annotations

from collections.abc import Iterable


def html_table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Heads and cells are HTML: what others named is escaped before.

    >>> html_table(("a",), [("1",)])
    '<table><tr><th>a</th></tr><tr><td>1</td></tr></table>'
    """
    head = "".join(f"<th>{one}</th>" for one in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"
