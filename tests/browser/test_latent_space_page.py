"""The latent space page as a reader sees it who clicks."""

import re

from playwright.sync_api import Page, expect

from tests.support.plots import plotted
from tests.support.waiting import script_over, two_frames


def ready(tab: Page) -> None:
    expect(tab.get_by_text("Decode along a direction")).to_be_visible()
    tab.locator(".js-plotly-plot").nth(1).wait_for()
    script_over(tab)


def test_a_click_on_a_slice_of_the_scan_chooses_it_and_the_address_keeps_it(address, browser):
    tab = browser.new_page()
    tab.goto(f"{address}/")
    tab.get_by_role("link", name="Latent space").click()
    ready(tab)
    place = """(plot) => {
      const { xaxis, yaxis } = plot._fullLayout, scan = plot.data[1], box = plot.getBoundingClientRect();
      return { slice: scan.x[20], x: box.x + xaxis._offset + xaxis.l2p(scan.x[20]),
               y: box.y + yaxis._offset + yaxis.l2p(scan.y[20]) };
    }"""
    point = plotted(tab, place, 1)
    tab.mouse.move(point["x"], point["y"])
    tab.locator(".js-plotly-plot").nth(1).locator(".hoverlayer .hovertext").first.wait_for()
    tab.mouse.click(point["x"], point["y"])
    expect(tab.get_by_text(f"Slice {point['slice']} and its nearest healthy slices")).to_be_visible()
    tab.wait_for_url(re.compile(f"latent_slice={point['slice']}"))
    again = browser.new_page()
    again.goto(tab.url)
    ready(again)
    expect(again.get_by_text(f"Slice {point['slice']} and its nearest healthy slices")).to_be_visible()
    again.close()
    tab.close()


def test_nothing_scrolls_sideways_and_pictures_lie_on_black(address, browser):
    tab = browser.new_page()
    tab.goto(f"{address}/latent_space")
    ready(tab)
    for width, height in ((1440, 900), (1024, 768), (800, 900)):
        tab.set_viewport_size({"width": width, "height": height})
        two_frames(tab)
        assert not tab.evaluate("[...document.querySelectorAll('.stMain')].some((one) => one.scrollWidth > one.clientWidth)")
    corner = """(picture) => { const canvas = document.createElement('canvas'), draw = canvas.getContext('2d');
      canvas.width = canvas.height = 1; draw.drawImage(picture, 0, 0, 2, 2, 0, 0, 1, 1);
      return [...draw.getImageData(0, 0, 1, 1).data.slice(0, 3)]; }"""
    pictures = tab.locator(".stImage img")
    assert pictures.count() == 10
    assert pictures.evaluate_all(f"(all) => all.map({corner})") == [[0, 0, 0]] * 10
    assert all(pictures.evaluate_all("(all) => all.map((one) => one.alt)"))
    tab.close()
