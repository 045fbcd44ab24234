"""What a reader of the Explore page reaches by a click, and what the address keeps."""

import os
import re

import pytest
from playwright.sync_api import Page, expect

from benchmarks.start import serve, wait_for, wait_for_maps


@pytest.fixture(scope="module")
def address(tiny_checkpoint_folder):
    server, address = serve(env=os.environ | {"VAEAD_CHECKPOINTS": str(tiny_checkpoint_folder.parent)})
    wait_for(address)
    yield address
    server.terminate()
    server.wait(20)


def opened(browser, address: str) -> Page:
    tab = browser.new_page(viewport={"width": 1440, "height": 900})
    tab.goto(address)
    wait_for_maps(tab)
    expect(tab.get_by_text("The largest clusters above")).to_be_visible(timeout=60_000)
    return tab


@pytest.fixture
def tab(browser, address):
    tab = opened(browser, address)
    yield tab
    tab.close()


def crosshair(tab: Page) -> list[int]:
    return [int(at) for at in re.search(r"voxel (\d+) (\d+) (\d+)", tab.locator(".readout").inner_text()).groups()]


def test_a_click_on_a_slice_of_the_strip_goes_there(tab):
    before = crosshair(tab)
    plots = tab.locator("[class*=st-key-explore_strip] .js-plotly-plot")
    position = plots.evaluate_all("(all) => all.find((one) => one.data).data[0].x[20]")
    tab.locator("[class*=st-key-explore_strip] .point").nth(20).click(force=True)
    expect(tab.locator(".readout")).not_to_contain_text(f"voxel {before[0]} {before[1]} {before[2]}")
    assert abs(crosshair(tab)[2] - position) <= 2, "the sample lies almost straight on the atlas"


def test_a_selected_cluster_goes_to_its_peak_and_can_be_gone_to_again(tab):
    tab.locator(".panel .view canvas").first.click(position={"x": 40, "y": 60})
    away = crosshair(tab)
    table = tab.locator("[class*=st-key-explore_clusters] .dvn-scroller")
    table.click(position={"x": 15, "y": 55})
    expect(tab.locator(".readout")).not_to_contain_text("voxel {} {} {}".format(*away))
    peak = crosshair(tab)
    assert tab.url.endswith("at={}.{}.{}".format(*peak))
    tab.locator(".panel .view canvas").first.click(position={"x": 40, "y": 60})
    expect(tab.locator(".readout")).to_contain_text("voxel {} {} ".format(*away))
    table.click(position={"x": 15, "y": 55})
    expect(tab.locator(".readout")).to_contain_text("voxel {} {} {}".format(*peak))


def test_a_reload_restores_crosshair_and_threshold(browser, tab, address):
    tab.get_by_role("button", name="Axial").focus()
    tab.locator(".panel .view canvas").first.click(position={"x": 100, "y": 120})
    tab.keyboard.press("]")
    tab.keyboard.press("]")
    tab.wait_for_url(re.compile("above="), timeout=10_000)
    note = tab.locator('section[aria-label="Residual"] .note').inner_text()
    where = crosshair(tab)
    again = opened(browser, tab.url)
    assert crosshair(again) == where
    assert again.locator('section[aria-label="Residual"] .note').inner_text() == note
    again.close()


def test_an_address_that_names_no_voxel_is_as_good_as_none(browser, tab, address):
    strange = opened(browser, f"{address}/?at=900.1.<b>&above=Residual:nan~x")
    assert crosshair(strange) == crosshair(tab)
    strange.close()


def test_picture_and_report_are_made_when_asked_for(tab):
    for label, start in {"This slice, PNG": b"\x89PNG", "Report, HTML": b"<!doctype html>"}.items():
        with tab.expect_download() as download:
            tab.get_by_role("button", name=label).click()
        with open(download.value.path(), "rb") as file:
            assert file.read(len(start)) == start
