"""A file's name is chosen by whoever sends it: it is shown, and nothing else comes of it."""

import re
from contextlib import suppress

import pytest
from playwright.sync_api import expect

from tests.support.reader import Reader

NAME = (
    "![x](https:elsewhere.example) <img src=x onerror=window.attacked=1> [go](javascript:window.attacked=2) $x^2$ :red[r] *b*.nii"
)

SHOWN = f"{NAME} is not a NIfTI file"


def test_a_hostile_file_name_is_shown_letter_by_letter_and_runs_nothing(browser, address):
    tab = browser.new_page()
    called: list[str] = []
    tab.on("request", lambda request: called.append(request.url))
    tab.goto(address)
    tab.locator("input[type=file]").wait_for(state="attached")
    tab.locator("input[type=file]").set_input_files(
        {"name": NAME, "mimeType": "application/octet-stream", "buffer": b"no scan" * 100}
    )
    alert = tab.get_by_test_id("stAlertContainer").filter(has_text="is not a NIfTI file")
    expect(alert).to_contain_text(SHOWN)
    assert alert.locator("img, a, script, em, strong, .katex").count() == 0
    tab.get_by_role("link", name="Toy lab").click()
    close = tab.get_by_role("button", name=re.compile("^Close "))
    expect(close).to_contain_text(NAME)
    assert close.locator("img, a, em, .katex").count() == 0
    assert tab.evaluate("window.attacked") is None
    assert not [url for url in called if "elsewhere.example" in url]
    tab.close()


@pytest.mark.parametrize("page", ["Explore", "Toy lab", "Latent space"])
def test_an_upload_that_arrives_with_a_message_of_the_viewer_is_not_lost(address, page):
    """Streamlit's browser sends both as one, which asks for the viewer's part of the page alone."""
    with Reader(address) as reader:
        reader.run()
        fragment = next(fragment for fragment, _ in reader.open(page).elements if fragment)
        reader.put("odd.nii", b"no scan" * 100)
        [sentence] = reader.run(fragment).errors
        assert "odd.nii is not a NIfTI file" in sentence.replace("\\", "")


@pytest.mark.parametrize("page", ["Explore", "Toy lab", "Latent space"])
def test_a_late_message_of_a_scan_that_is_no_longer_shown_draws_nothing(address, page):
    """Else it draws into places that a refused scan has left empty, and the browser's page breaks."""
    with Reader(address) as reader:
        reader.run()
        fragments = {fragment for fragment, _ in reader.open(page).elements if fragment}
        assert reader.upload("odd.nii", b"no scan" * 100).errors
        for fragment in sorted(fragments):
            reader.ask(fragment)
            with pytest.raises(TimeoutError):
                reader.drawn(3)


@pytest.mark.parametrize("page", ["Explore", "Toy lab", "Latent space"])
def test_a_late_message_of_the_page_that_was_left_leaves_the_next_one_as_it_is(address, page):
    """Else Streamlit's browser takes its run for one of the page before, and shows an empty page."""
    with Reader(address) as reader:
        reader.run()
        fragment = next(fragment for fragment, _ in reader.open(page).elements if fragment)
        left, reader.page = reader.page, reader.pages["Checkpoints"]
        reader.ask()
        reader.page = left
        reader.ask(fragment)
        with suppress(TimeoutError):
            while reader.drawn(5):
                pass
        assert reader.page == reader.pages["Checkpoints"]
        assert reader.run().sentences == []
