"""Two of anything on Explore, in a browser: panels that move together, and an address that restores them."""

import re

import pytest
from playwright.sync_api import Page, expect

from pages.shared.comparison.view import DIFFERENCE
from tests.support.waiting import script_over, wait_for_maps


def choose(tab: Page, label: str, name: str) -> None:
    box = tab.get_by_role("combobox", name=label, exact=True)
    box.click()
    tab.get_by_role("option", name=name, exact=True).click()
    expect(box).to_have_value(name)


def voxel(tab: Page) -> str:
    return re.search(r"voxel (\d+ \d+ \d+)", tab.locator(".readout").inner_text())[1]


def press(tab: Page, across: float, down: float) -> None:
    """A place in the second scan's picture."""
    canvas = tab.locator(".panel").nth(2).locator("canvas").first
    box = canvas.bounding_box()
    canvas.click(position={"x": box["width"] * across, "y": box["height"] * down})


@pytest.mark.shows(43)
def test_two_scans_are_side_by_side_with_one_crosshair_and_a_reload_keeps_them(browser, address):
    tab = browser.new_page()
    tab.goto(address)
    wait_for_maps(tab)
    choose(tab, "Compare with", "another scan")
    choose(tab, "Second scan", "Healthy brain B")
    panels = ["First scan", "First: Healthy brain B with a painted lesion", "Second: Healthy brain B", DIFFERENCE]
    for name in panels:
        expect(tab.get_by_label(name, exact=True)).to_be_visible()
    script_over(tab)
    wait_for_maps(tab)
    assert [panel.get_attribute("aria-label") for panel in tab.locator(".panel").all()] == panels
    labels = tab.locator(".panel .slice")
    before = voxel(tab)
    press(tab, 0.4, 0.45)
    expect(tab.locator(".readout")).not_to_contain_text(f"voxel {before}")
    tab.keyboard.press("PageUp")
    expect(labels.first).not_to_have_text(re.compile(f" {int(before.split()[2]) + 1} /"))
    assert len(set(labels.all_inner_texts())) == 1, "one slice in all"
    script_over(tab)
    place = tab.url
    press(tab, 0.55, 0.55)
    tab.wait_for_url(lambda url: url != place)
    script_over(tab)
    kept = voxel(tab)
    tab.reload()
    for name in panels:
        expect(tab.get_by_label(name, exact=True)).to_be_visible()
    script_over(tab)
    wait_for_maps(tab)
    here = [int(at) for at in voxel(tab).split()]
    assert max(abs(one - other) for one, other in zip(here, map(int, kept.split()), strict=True)) <= 1, "the scan's voxel is kept"
    choose(tab, "Compare with", "nothing")
    expect(tab.get_by_label("Voxel atlas (baseline)", exact=True).first).to_be_visible()
    tab.close()
