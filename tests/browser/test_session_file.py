"""A session as a file, in a browser: saved in one tab, opened in another."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.support.downloads import downloaded
from tests.support.waiting import script_over, wait_for_maps


@pytest.mark.shows(44)
def test_a_session_is_saved_and_opened_in_another_tab(browser, address, tmp_path):
    tab = browser.new_page()
    tab.goto(f"{address}/?sample=Healthy+brain+A&methods=Residual")
    wait_for_maps(tab)
    script_over(tab)
    place = tab.url
    tab.locator(".panel .view canvas").first.click(position={"x": 120, "y": 150})
    tab.wait_for_url(lambda url: url != place)
    script_over(tab)
    seen = tab.locator(".readout .voxel").inner_text()
    download = downloaded(tab, "Session, JSON")
    file = tmp_path / download.suggested_filename
    download.save_as(file)
    tab.close()
    assert seen.split()[1:] == list(map(str, json.loads(file.read_text())["crosshair"]))

    other = browser.new_page()
    other.goto(address)
    wait_for_maps(other)
    script_over(other)
    other.get_by_text("Open a session", exact=True).click()
    uploader = other.locator(".st-key-session_file input[type=file]")
    uploader.set_input_files({"name": "bad.json", "mimeType": "application/json", "buffer": b"{}"})
    expect(other.get_by_text("bad.json is no session of vaead")).to_be_visible()
    uploader.set_input_files(file)
    expect(other.get_by_role("combobox", name="Scan", exact=True)).to_have_value("Healthy brain A")
    expect(other.locator(".readout .voxel")).to_have_text(seen)
    expect(other.locator(".panel")).to_have_count(2)
    expect(other).to_have_url(re.compile("Healthy"))
    other.close()
