"""A model card is a stranger's: of its markdown a few elements are drawn, and all else is text."""

import time
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pages.shared.checkpoints.card import ELEMENTS, MOST, card_html
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.checkpoints.search import shipped

PIECES = [
    *(
        "![",
        "[",
        "](",
        ")",
        "]",
        "![a](http://e)",
        "[a](http://e)",
        "[a]: http://e\n",
        "<http://e>",
        "<img src=http://e>",
        "<b ",
        ">",
    ),
    *(
        "\\",
        "`",
        "```",
        "\n",
        "\n\n",
        "    ",
        "# ",
        "- ",
        "1. ",
        "> ",
        "|",
        "|-|\n",
        "*",
        "**",
        "_",
        "$",
        ":red[",
        "&lt;",
        "&#60;",
        '"',
    ),
    *("javascript:", "data:text/html,", "a", "é", "\x00", "​", "<!--", "-->", "<![CDATA[", "<?", "onload=", "'"),
]


class Seen(HTMLParser):
    """The elements of a card, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements, self.text = [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, tuple(attrs)))

    def handle_data(self, data):
        self.text += data

    def handle_comment(self, data):
        self.elements.append(("comment", data))

    unknown_decl = handle_decl = handle_pi = handle_comment


@settings(deadline=10_000, derandomize=True, database=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_a_card_is_known_elements_without_attributes_whatever_it_holds(text):
    known = {(tag, ()) for tag in (*ELEMENTS, "pre", "code", "br", "hr")}
    assert not set(Seen(card_html(text)).elements) - known


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("![a picture](http://e/x.png)", "a picture (http://e/x.png)"),
        ("![a][b]\n\n[b]: http://e/x.png", "a (http://e/x.png)"),
        ("\\![a](http://e/x.png)", "!a (http://e/x.png)"),
        ("[a *paper*](https://e/p) <https://e>", "a paper (https://e/p) https://e"),
        ("<img src=http://e> <b>x</b>", "<img src=http://e> <b>x</b>"),
        ("[a](javascript:x)", "[a](javascript:x)"),
        (":material/home: $x^2$ www.e.org", ":material/home: $x^2$ www.e.org"),
    ],
)
def test_what_a_card_would_fetch_is_text(text, shown):
    assert Seen(card_html(text)).text == shown


def test_cards_that_ship_keep_their_tables_headings_and_settings():
    for folder in shipped().parent.iterdir():
        assert (folder / "README.md").read_text().startswith("---\nlicense: ")
        seen = Seen(card_html(Checkpoint.load(folder).card))
        assert "license" not in seen.text, "the head is for other tools"
        assert {tag for tag, _ in seen.elements} >= {"h3", "h4", "table", "th", "td", "p", "pre"}
        assert "Research use only, not for diagnosis." in seen.text
        assert "](" not in seen.text


@pytest.mark.parametrize("piece", ["[", "![", "*a **b ", "[a](b", "`", "> ", "<", "c|d\n", "a\n", "- "])
def test_no_card_keeps_a_page_waiting(piece):
    began = time.process_time()
    card_html(("a|b\n-|-\n" + piece * MOST)[:MOST])
    assert time.process_time() - began < 10
