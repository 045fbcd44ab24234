"""The cohort page in a browser: a study that is sorted, saved, compared, opened and judged; a scoring that is cancelled."""

import gzip
import os
import re
from contextlib import suppress
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as NotThere

from tests.support.scans import scan_file
from tests.support.server import served
from tests.support.waiting import script_over, until
from vaead_core.cohorts.synthetic import synthetic_brain
from vaead_core.scans.registration import atlas_grid


@pytest.fixture(scope="module")
def tab(tiny_checkpoint_folder, browser, tiny_study):
    checkpoints = str(tiny_checkpoint_folder.parent)
    (tiny_study / "participants.tsv").write_text("participant_id\tgroup\nsub-01\tcontrol\nsub-02\tpatient\n")
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


@pytest.mark.shows(32)
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
    open_first(tab)
    expect(tab.get_by_role("heading", name="Explore", level=2)).to_be_visible()
    expect(tab.get_by_text(re.compile(r"^sub-01_ses-2_T1w\.nii\.gz: 120 × 120"))).to_be_visible()
    assert tab.get_by_role("combobox", name="Scan", exact=True).input_value() == "Your own scan"
    tab.get_by_role("link", name="Cohort").click()
    expect(tab.get_by_text("2 of 7 scans: 2 scored.")).to_be_visible()
    assert tab.evaluate("document.querySelector('.stMain').scrollWidth <= document.querySelector('.stMain').clientWidth")
    assert errors == []


def open_first(tab: Page) -> None:
    """The first row's scan, in Explore. A click on a table that is being drawn is lost."""
    button = tab.get_by_role("button", name="Open in Explore")

    def chosen() -> bool:
        script_over(tab)
        if not button.is_visible():
            tab.get_by_test_id("stDataFrame").locator(".dvn-scroller").click(position={"x": 16, "y": 75})  # the row's box
            with suppress(NotThere):
                button.wait_for(timeout=5000)
        return button.is_visible()

    until(chosen)
    button.click()


def view(tab: Page, name: str) -> None:
    script_over(tab)
    tab.get_by_role("radio", name=name, exact=True).click()
    script_over(tab)


def on_the_atlas(tab: Page) -> tuple[str, np.ndarray]:
    """Name and values of the difference that is let go as a file."""
    with tab.expect_download() as download:
        tab.get_by_role("button", name="Difference, NIfTI").click()
    image = nib.Nifti1Image.from_bytes(gzip.decompress(Path(download.value.path()).read_bytes()))
    np.testing.assert_allclose(image.affine, atlas_grid(2).affine)
    return download.value.suggested_filename, image.get_fdata()


@pytest.mark.shows(33)
def test_two_groups_differ_in_a_picture_and_a_file(tab):
    view(tab, "Two groups")
    tab.get_by_role("button", name="Map of the difference").click()
    expect(
        tab.get_by_role("img", name="Axial slices of the atlas, coloured where the mean map of patient differs")
    ).to_be_visible()
    name, values = on_the_atlas(tab)
    assert name == "SRI24_residual_difference.nii.gz"
    assert (values > 0).any()
    assert (values < 0).any()


@pytest.mark.shows(33)
def test_two_visits_are_three_pictures_and_a_file(tab):
    view(tab, "Two visits")
    tab.get_by_role("button", name="Both maps and their difference").click()
    expect(tab.get_by_role("img", name=re.compile("^Axial slices of the atlas"))).to_have_count(3)
    name, values = on_the_atlas(tab)
    assert name == "sub-01_ses-2_less_sub-01_ses-1_space-SRI24_residual.nii.gz"
    assert np.abs(values).max() < 0.01, "one brain, though one file is brighter"


@pytest.mark.shows(34)
def test_a_verdict_on_a_scan_that_was_opened_here_is_in_the_studys_table_and_file(tab):
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    view(tab, "Scans")
    open_first(tab)
    clusters = tab.locator("[class*=st-key-explore_clusters] .dvn-scroller")
    expect(clusters).to_be_visible()
    script_over(tab)
    clusters.click(position={"x": 15, "y": 55})
    said = tab.get_by_text(re.compile("^Cluster 1 of .* ml"))
    expect(said).to_be_visible()
    volume_ml = re.search(r": ([\d.]+) ml", said.inner_text())[1]
    tab.get_by_role("radio", name="reject").or_(tab.get_by_role("button", name="reject")).click()
    expect(tab.get_by_text(re.compile("0 accepted, 1 rejected"))).to_be_visible()
    tab.get_by_role("link", name="Cohort").click()
    view(tab, "Verdicts")
    expect(tab.get_by_text("With verdicts on fewer than 5 people chance alone can give any precision")).to_be_visible()
    with tab.expect_download() as download:
        tab.get_by_role("button", name="All verdicts, TSV").click()
    header, row = (line.split("\t") for line in Path(download.value.path()).read_text().splitlines())
    found = dict(zip(header, row, strict=True))
    assert re.fullmatch("sub-0[12]_(ses|run)-[12]", found["scan"])
    assert (found["method"], found["checkpoint"], found["verdict"]) == ("residual", "tiny", "reject")
    assert f"{float(found['volume_ml']):.3g}" == volume_ml
    assert errors == []


def test_own_scans_are_followed_and_cancelled(tab):
    brain = gzip.compress(scan_file(synthetic_brain(7, 1, 60.0)), 1)
    tab.get_by_role("link", name="Cohort").click()
    tab.get_by_role("radio", name="Your own scans").click()
    script_over(tab)
    files = [{"name": f"own_{at}.nii.gz", "mimeType": "application/gzip", "buffer": brain} for at in range(8)]
    tab.locator(".stMain input[type=file]").set_input_files(files)
    expect(tab.get_by_role("button", name="Score")).to_be_enabled()
    tab.get_by_role("button", name="Score").click()
    expect(tab.get_by_text(re.compile(r"Scoring of 8 scans by tiny: \d+ s"))).to_be_visible()
    tab.get_by_role("button", name="Cancel").click()
    expect(tab.get_by_text(re.compile("Scoring of 8 scans by tiny was cancelled after"))).to_be_visible()
