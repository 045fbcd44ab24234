"""The cohort page in a browser: a study that is sorted, filtered, saved and opened, and a scoring that is cancelled."""

import gzip
import os
import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.scans import scan_file
from tests.support.server import served
from tests.support.waiting import script_over
from vaead_core.cohorts.synthetic import synthetic_brain


@pytest.fixture(scope="module")
def tab(tiny_checkpoint_folder, browser, tiny_study):
    checkpoints = str(tiny_checkpoint_folder.parent)
    own = {"VAEAD_CHECKPOINTS": checkpoints, "VAEAD_SHIPPED": "off", "VAEAD_DATA": str(tiny_study.parent)}
    with served(env=os.environ | own) as address:
        tab = browser.new_page()
        tab.goto(f"{address}/cohort")
        yield tab
        tab.close()


def saved(tab: Page) -> list[str]:
    """The first column of the file."""
    script_over(tab)
    with tab.expect_download() as download:
        tab.get_by_test_id("stDownloadButton").get_by_role("button").click()
    return [line.split(",")[0] for line in open(download.value.path(), encoding="utf-8").read().splitlines()]


def test_a_study_is_sorted_filtered_saved_and_opened(tab):
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    expect(tab.get_by_text("7 scans: 4 scored, 3 failed.")).to_be_visible()
    assert saved(tab) == ["scan", "sub-01_ses-1", "sub-01_ses-2", "sub-02_run-1", "sub-02_run-2", "sub-03", "sub-04", "sub-05"]
    tab.get_by_text("Highest first").click()
    assert saved(tab)[1:3] == ["sub-05", "sub-04"]
    tab.get_by_role("textbox", name="Search").fill("ses-")
    tab.get_by_role("textbox", name="Search").press("Enter")
    expect(tab.get_by_text("2 of 7 scans: 2 scored.")).to_be_visible()
    assert saved(tab) == ["scan", "sub-01_ses-2", "sub-01_ses-1"]
    place = tab.get_by_test_id("stDataFrame").bounding_box()
    tab.mouse.click(place["x"] + 16, place["y"] + 75)  # the box before the first row
    tab.get_by_role("button", name="Open in Explore").click()
    expect(tab.get_by_role("heading", name="Explore", level=2)).to_be_visible()
    expect(tab.get_by_text(re.compile(r"^sub-01_ses-2_T1w\.nii\.gz: 120 × 120"))).to_be_visible()
    assert tab.get_by_role("combobox", name="Scan", exact=True).input_value() == "Your own scan"
    tab.get_by_role("link", name="Cohort").click()
    expect(tab.get_by_text("2 of 7 scans: 2 scored.")).to_be_visible()
    assert tab.evaluate("document.querySelector('.stMain').scrollWidth <= document.querySelector('.stMain').clientWidth")
    assert errors == []


def test_own_scans_are_followed_and_cancelled(tab):
    brain = gzip.compress(scan_file(synthetic_brain(7, 1, 60.0)), 1)
    tab.get_by_role("radio", name="Your own scans").click()
    script_over(tab)
    files = [{"name": f"own_{at}.nii.gz", "mimeType": "application/gzip", "buffer": brain} for at in range(8)]
    tab.locator(".stMain input[type=file]").set_input_files(files)
    expect(tab.get_by_role("button", name="Score")).to_be_enabled()
    tab.get_by_role("button", name="Score").click()
    expect(tab.get_by_text(re.compile(r"Scoring of 8 scans by tiny: \d+ s"))).to_be_visible()
    tab.get_by_role("button", name="Cancel").click()
    expect(tab.get_by_text(re.compile("Scoring of 8 scans by tiny was cancelled after"))).to_be_visible()
