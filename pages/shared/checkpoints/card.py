"""A model card as HTML of a few known elements. What its markdown asks for beyond them is shown as text and fetches nothing."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

import streamlit as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

MOST = 32_768  # characters: the largest that ships has 6,000, and each run reads it anew
ELEMENTS = frozenset(
    ("h3", "h4", "h5", "h6", "p", "ul", "ol", "li", "blockquote", "strong", "em", "table", "thead", "tbody", "tr", "th", "td")
)
_BELOW = {"h1": "h3", "h2": "h4", "h3": "h5", "h4": "h6", "h5": "h6"}  # the page has headings of its own
_STYLE = """<style>
.card table { border-collapse: collapse; margin: 0.5rem 0; }
.card th, .card td { border: 1px solid #8885; padding: 0.2rem 0.6rem; text-align: left; }
.card pre { overflow-x: auto; background: #8882; padding: 0.6rem; }
.card { overflow-wrap: anywhere; }
</style>"""
_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")


def show(text: str) -> None:
    """The card of a checkpoint, which may be a stranger's."""
    st.html(f'{_STYLE}<div class="card">{card_html(text[:MOST])}</div>')
    if len(text) > MOST:
        st.caption(f"The card is longer; these are its first {MOST:,} characters.")


def card_html(text: str) -> str:
    """ELEMENTS without attributes, and text; a link or a picture is its words, with its address beside them as text."""
    return "".join(_shown(_markdown.parse(text)))


def _shown(tokens: list[Token]) -> Iterator[str]:
    """One after the other and not as a tree of calls, for nothing bounds how deep a card can go."""
    address = ""
    for token in tokens:
        tag = _BELOW.get(token.tag, token.tag)
        if token.type == "inline":
            yield from _shown(token.children or [])
        elif token.type == "link_open":
            address = "" if token.markup == "autolink" else _beside(token.attrs["href"])  # whose words are its address
        elif token.type == "link_close":
            yield address
        elif token.type == "image":
            yield escape(token.content) + _beside(token.attrs["src"])
        elif token.type in ("fence", "code_block"):
            yield f"<pre><code>{escape(token.content)}</code></pre>"
        elif token.type == "code_inline":
            yield f"<code>{escape(token.content)}</code>"
        elif token.type in ("hardbreak", "hr"):
            yield f"<{tag}>"
        elif token.type == "softbreak":
            yield "\n"
        elif tag in ELEMENTS:
            yield "" if token.hidden else f"<{tag}>" if token.nesting == 1 else f"</{tag}>"
        else:
            yield escape(token.content)


def _beside(address: object) -> str:
    return f" ({escape(str(address))})"
