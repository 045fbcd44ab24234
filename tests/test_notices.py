"""A file's name is chosen by whoever sends it: it is shown, and nothing else comes of it."""

import ast
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.notices import plain

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("sentence", "markdown"),
    [
        ("scan.nii is damaged; copy it again.", "scan.nii is damaged; copy it again."),
        ("1. a.nii", "1\\. a.nii"),
        ("- a.nii", "\\- a.nii"),
        ("a\n\n# b", "a \\# b"),
        ("train one with: python", "train one with: python"),
        (":x &lt;", "\\:x \\&lt;"),
        ("12:30 at a:b", "12\\:30 at a\\:b"),
        ("a\u202etxt.nii \ud800", "a\ufffdtxt.nii \ufffd"),
    ],
)
def test_only_signs_of_markdown_are_changed(sentence, markdown):
    assert plain(sentence) == markdown


@pytest.mark.parametrize(
    "name",
    [
        *("https://e.org/x.nii", "HTTP://e.org", "www.e.org", "WWW.e.org", "a@e.org", ":smile:", ":+1:", ":material/home:"),
        *(":streamlit:", "a -> b", "->", "<-", "a <-> b", "a -- b", "a >= b", "<= b", "a ~= b"),
    ],
)
def test_what_streamlit_makes_of_text_though_it_is_escaped_is_broken_by_one_unseen_sign(name):
    shown = plain(name).replace("\\", "")
    assert shown.count("\u2060") == 1
    assert shown.replace("\u2060", "") == name


def warned(*said: str) -> AppTest:
    """A page with these warnings above its pictures."""

    def page(said):
        from pages.shared.notices import warn_in_lines

        warn_in_lines(said)

    return AppTest.from_function(page, args=(said,)).run()


def test_warnings_above_pictures_are_a_line_each_and_whole_behind_why():
    long = "x.nii is unlike the *healthy* scans of the training site: its noise is 0.20. Their thresholds may not hold for it."
    app = warned("Short: as it is.", long)
    [box] = [one.value for one in app.warning]
    assert box == f"Short: as it is.  \n{plain(long.partition('. Their')[0])}"
    assert [one.proto.popover.label for one in app.get("popover")] == ["Why?"]
    assert [one.value for one in app.markdown] == ["Short: as it is.", plain(long)]


def test_a_warning_that_is_a_line_is_not_said_twice():
    app = warned("Short: as it is.")
    assert [one.value for one in app.warning] == ["Short: as it is."]
    assert len(app.get("popover")) == len(app.markdown) == 0
    assert len(warned().warning) == 0


# Every place that shows something

TAKE_MARKDOWN = {
    *("error", "info", "warning", "success", "caption", "markdown", "header", "subheader", "title", "toast", "spinner", "status"),
    *("progress", "button", "download_button", "expander", "popover", "write"),
}
OURS = {  # words and numbers of the app's own
    *("title", "label", "about", "own", "whose", "unseen", "differing", "sentence(ahead, quick)", "SAID[found.brain_by]"),
    *("min(latent_space.COMPARED_ROWS, len(healthy))", "slices.position[row]", "site.scans", "EXPERIMENTS['shift'].question"),
    *("EXPERIMENTS['site_calibration'].question", "EXPERIMENTS[name].question", "verdicts.reading(name, tables)"),
    *("described(f'**{scorers.SCORERS[name].title}**', *one)", "described(f'**{scores[name]}**', found.curve, found.usual)"),
    *("described(f'**{titles[name]}**', *one)", "_FITTED[question.experiment]", "stop.title", "at", "count", "BUTTON", "ABOUT"),
    *("figures.METHOD", "figures.ABOUT_PLACES", "'  \\n'.join(map(plain, lines))"),
}


def filled_in(said: ast.expr) -> list[str]:
    """What is not a constant in a text, numbers in a format of their own aside."""
    match said:
        case ast.Constant():
            return []
        case ast.JoinedStr():
            return [name for part in said.values if not getattr(part, "format_spec", None) for name in filled_in(part)]
        case ast.FormattedValue():
            return filled_in(said.value)
        case ast.BinOp():
            return filled_in(said.left) + filled_in(said.right)
        case ast.IfExp():
            return filled_in(said.body) + filled_in(said.orelse)
    return [ast.unparse(said)]


def shown_as_markdown(path: Path) -> list[str]:
    """All that a module fills into what Streamlit takes as markdown."""
    found = []
    for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call) and node.args):
        name = getattr(call.func, "attr", "")
        if name in TAKE_MARKDOWN or isinstance(call.func, ast.IfExp):
            found += filled_in(call.args[1 if name == "progress" else 0])
    return found


@pytest.mark.parametrize("path", sorted((ROOT / "pages").rglob("*.py")), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_others_wrote_is_shown_by_plain_alone(path):
    assert [one for one in shown_as_markdown(path) if not one.startswith(("plain(", "len(")) and one not in OURS] == []


def test_such_places_are_found_by_this_test():
    assert sum(one.startswith("plain(") for path in (ROOT / "pages").rglob("*.py") for one in shown_as_markdown(path)) > 20
