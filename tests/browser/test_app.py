"""The app on a server of its own: the first visit, and what is loaded for it."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.support.server import served
from tests.support.waiting import count_runs, script_over, until, wait_for_maps

ROOT = Path(__file__).resolve().parents[2]


def test_a_pages_own_address_opens_it_within_the_app_on_a_server_that_nobody_visited(browser, checkpoints):
    assert [path for path in (ROOT / "pages").glob("[a-z]*.py") if "\nentry.through_app()\n" not in path.read_text()] == []
    with served() as address:
        tab = browser.new_page()
        tab.goto(f"{address}/checkpoints")
        expect(tab.get_by_test_id("stSidebarNav")).to_contain_text("Toy lab")
        expect(tab.get_by_role("heading", name="Checkpoints").first).to_be_visible()
        assert "/checkpoints" in tab.url
        tab.close()


def test_the_app_serves_a_map_in_a_browser_without_loading_torch(browser, checkpoints, tmp_path):
    report = tmp_path / "imports"
    with report.open("w") as errors, served(("-X", "importtime"), stderr=errors) as address:
        tab = browser.new_page()
        tab.goto(address)
        expect(tab.get_by_text("One map in numbers")).to_be_visible()
        wait_for_maps(tab)
        tab.close()
    imported = report.read_text().splitlines()
    modules = {line.rsplit("|", 1)[-1].strip() for line in imported if line.startswith("import time:")}
    assert "vaead_core.pipeline.scoring" in modules
    slow = {"torch", "lightning_fabric", "models", "training", "sklearn", "pyod", "numba", "matplotlib"}
    assert not {name for name in modules if name.split(".")[0] in slow or name == "scipy.stats"}


@pytest.mark.shows(48)
def test_the_sidebar_of_a_narrow_window_is_closed_until_its_reader_opens_it(browser, address):
    window = browser.browser.new_context(viewport={"width": 980, "height": 700})  # what it remembers is its own
    count_runs(window)
    tab = window.new_page()
    tab.goto(f"{address}/checkpoints")
    sidebar = tab.get_by_test_id("stSidebar")
    expect(sidebar).to_have_attribute("data-collapsed", "true")
    for width, closed in ((1100, "false"), (900, "true")):
        tab.set_viewport_size({"width": width, "height": 700})
        expect(sidebar).to_have_attribute("data-collapsed", closed)
    tab.get_by_role("button", name="Expand sidebar").click()
    tab.get_by_role("link", name="Benchmark").click()
    tab.set_viewport_size({"width": 950, "height": 700})
    expect(tab.get_by_role("heading", name="Benchmark").first).to_be_visible()
    expect(sidebar).to_have_attribute("data-collapsed", "false")
    tab.get_by_role("link", name="Explore").click()
    tour, title = tab.get_by_role("button", name="Tour", exact=True), tab.get_by_role("heading", name="Explore", level=2)
    expect(tour).to_be_visible()
    script_over(tab)
    until(lambda: all(found := [one.bounding_box() for one in (tour, title)]) and abs(found[0]["y"] - found[1]["y"]) < 30)
    window.close()
