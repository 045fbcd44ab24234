"""A file's name is chosen by whoever sends it: it is shown, and nothing else comes of it."""

import re

from playwright.sync_api import expect

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
