"""A training that is begun on the checkpoints page, followed and cancelled in a browser."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect


@pytest.fixture
def tab(address, browser):
    tab = browser.new_page()
    tab.set_viewport_size({"width": 1024, "height": 768})
    tab.goto(f"{address}/checkpoints")
    expect(tab.get_by_text("What you upload or train is seen by you alone")).to_be_visible()
    yield tab
    tab.close()


def go(tab: Page, name: str) -> None:
    tab.get_by_role("radio", name=name).click()


@pytest.mark.shows(36)
def test_a_training_is_followed_across_pages_and_joins_every_choice(tab):
    go(tab, "Train")
    tab.get_by_role("slider", name="Number of brains").press("Home")
    slider = tab.get_by_role("slider", name="Epochs")
    slider.press("Home")
    slider.press("ArrowRight")
    expect(slider).to_have_value("2")
    tab.get_by_role("button", name="Start training").click()
    expect(tab.get_by_text(re.compile(r"Training of my-model: \d+ s, starting"))).to_be_visible()
    at = r"reading the scans|preparing scans, \d of 5|epoch \d of 2"
    expect(tab.get_by_text(re.compile(rf"Training of my-model: \d+ s(, \d+%)?, ({at})"))).to_be_visible()
    tab.get_by_role("link", name="Toy lab").click()
    expect(tab.get_by_text("A click in the brain plants a toy")).to_be_visible()
    expect(tab.locator(".stSidebar").get_by_text("Training of my-model")).to_be_visible()
    tab.get_by_role("link", name="Checkpoints").click()
    expect(tab.get_by_role("button", name="Cancel")).to_be_visible()
    tab.locator(".js-plotly-plot").wait_for()
    expect(tab.get_by_text("Training of my-model finished after")).to_be_visible()
    tab.get_by_role("link", name="Explore").click()
    tab.get_by_role("combobox", name="Checkpoint").click()
    expect(tab.get_by_role("option", name="my-model (yours)")).to_be_visible()


def processes(text: str) -> list[int]:
    """Numbers of the processes whose command line holds `text`."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += [int(path.parent.name)] if text in path.read_bytes().decode(errors="replace") else []
        except OSError:
            continue
    return found


@pytest.mark.shows(14)
def test_cancel_ends_a_training_on_the_server(tab):
    go(tab, "Train")
    tab.get_by_role("textbox", name="Name").fill("cancelled-model")
    tab.get_by_role("textbox", name="Name").press("Enter")
    tab.get_by_role("button", name="Start training").click()
    cancel = tab.get_by_role("button", name="Cancel")
    expect(cancel).to_be_visible()
    assert processes("cancelled-model")
    cancel.click()
    expect(tab.get_by_text("Training of cancelled-model was cancelled")).to_be_visible()
    assert not processes("cancelled-model")
