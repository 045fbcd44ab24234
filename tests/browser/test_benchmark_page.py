"""The benchmark page in a browser: a run of one's own."""

import pytest
from playwright.sync_api import expect

from tests.support.waiting import script_over


@pytest.mark.shows(37)
def test_an_experiment_of_ones_own_survives_a_page_switch_and_ends_in_a_table(address, browser):
    tab = browser.new_page()
    tab.set_viewport_size({"width": 1024, "height": 768})
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.goto(f"{address}/")
    tab.get_by_role("link", name="Benchmark").click()
    expect(tab.get_by_text("All rows as CSV")).to_be_visible()
    for view in ("Which method", "Size and intensity", "Thesis", "Your own"):
        tab.get_by_text(view, exact=True).click()
        script_over(tab)
        wide = "[...document.querySelectorAll('.stMain')].some((one) => one.scrollWidth > one.clientWidth)"
        assert not tab.evaluate(wide), view
        if view == "Which method":
            expect(tab.get_by_text("chance 0.013").first).to_be_visible()
    toys = tab.get_by_role("combobox", name="Toys")
    toys.press("Backspace")
    toys.fill("tumour")
    toys.press("Enter")
    toys.press("Escape")  # closes the list, behind which nothing else can be reached
    expect(tab.get_by_text("tumour", exact=True)).to_be_visible()
    script_over(tab)
    tab.get_by_role("button", name="Run").click()
    expect(tab.get_by_role("button", name="Cancel")).to_be_visible()
    tab.get_by_role("link", name="Explore").click()
    expect(tab.get_by_text("One map in numbers")).to_be_visible()
    tab.get_by_role("link", name="Benchmark").click()
    expect(tab.get_by_text("finished after")).to_be_visible()
    expect(tab.get_by_text("This table as CSV")).to_be_visible()
    assert "benchmark_view=Your" in tab.url
    assert errors == []
    tab.close()
