"""A file's name is chosen by whoever sends it: it is shown, and nothing else comes of it."""

import pytest

from pages.shared.notices import plain


@pytest.mark.parametrize(
    ("sentence", "markdown"),
    [
        ("scan.nii is damaged; copy it again.", "scan.nii is damaged; copy it again."),
        ("1. a.nii", "1\\. a.nii"),
        ("- a.nii", "\\- a.nii"),
        ("a\n\n# b", "a \\# b"),
        ("train one with: python", "train one with: python"),
        (":smile: &lt;", "\\:smile: \\&lt;"),
    ],
)
def test_only_signs_of_markdown_are_changed(sentence, markdown):
    assert plain(sentence) == markdown
