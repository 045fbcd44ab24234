"""What a reader of the Explore page reaches by a click, and what the address keeps."""

import json
import re
from pathlib import Path
from urllib.parse import unquote_plus

import nibabel as nib
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.support.contents import IN_TRUTH
from tests.support.dicom_files import write_volume, zipped
from tests.support.downloads import downloaded, downloaded_map, to_save
from tests.support.plots import plotted
from tests.support.scans import reoriented, scan_file
from tests.support.shared_tab import shared_tab
from tests.support.svg import svg_texts
from tests.support.waiting import script_over, two_frames, until, wait_for_maps


def opened(browser, address: str) -> Page:
    tab = browser.new_page()
    tab.goto(address)
    wait_for_maps(tab)
    expect(tab.get_by_text("The largest clusters above")).to_be_visible()
    tab.began = crosshair(tab)
    return tab


sample, uploads = shared_tab(opened), shared_tab(opened)


@pytest.fixture
def tab(sample, request):
    """The page with the first sample."""
    with sample.lent(request.session) as tab:
        yield tab


@pytest.fixture
def reader(uploads, request):
    """The page to which scans are uploaded."""
    with uploads.lent(request.session) as tab:
        yield tab


def upload(tab: Page, path: Path) -> None:
    tab.locator("input[type=file]").first.set_input_files(path)
    expect(tab.get_by_text(f"{path.name}: ")).to_be_visible()
    expect(tab.get_by_label("Truth", exact=True)).to_be_hidden()  # which the sample has
    script_over(tab)
    wait_for_maps(tab)


def crosshair(tab: Page) -> list[int]:
    return [int(at) for at in re.search(r"voxel (\d+) (\d+) (\d+)", tab.locator(".readout").inner_text()).groups()]


@pytest.mark.shows(18)
def test_a_click_on_a_slice_of_the_strip_goes_there(tab):
    before = crosshair(tab)
    position = plotted(tab, "(plot) => plot.data[0].x[20]", within="[class*=st-key-explore_strip]")
    tab.locator("[class*=st-key-explore_strip] .point").nth(20).click(force=True)
    expect(tab.locator(".readout")).not_to_contain_text(f"voxel {before[0]} {before[1]} {before[2]}")
    assert abs(crosshair(tab)[2] - position) <= 2, "the sample lies almost straight on the atlas"


@pytest.mark.shows(21)
def test_a_selected_cluster_goes_to_its_peak_and_can_be_gone_to_again(tab):
    tab.locator(".panel .view canvas").first.click(position={"x": 40, "y": 60})
    away = crosshair(tab)
    table = tab.locator("[class*=st-key-explore_clusters] .dvn-scroller")
    table.click(position={"x": 15, "y": 55})
    expect(tab.locator(".readout")).not_to_contain_text("voxel {} {} {}".format(*away))
    peak = crosshair(tab)
    assert tab.url.endswith("at={}.{}.{}".format(*peak))
    script_over(tab)  # else what comes into the page moves the canvas from under the mouse
    tab.locator(".panel .view canvas").first.click(position={"x": 40, "y": 60})
    expect(tab.locator(".readout")).to_contain_text("voxel {} {} ".format(*away))
    script_over(tab)
    table.click(position={"x": 15, "y": 55})
    expect(tab.locator(".readout")).to_contain_text("voxel {} {} {}".format(*peak))


def test_a_cluster_is_judged_and_verdict_and_cluster_go_into_files(tab, tmp_path):
    tab.locator("[class*=st-key-explore_clusters] .dvn-scroller").click(position={"x": 15, "y": 55})
    expect(tab.get_by_text(re.compile("^Cluster 1 of"))).to_be_visible()
    comment = tab.get_by_label("Comment", exact=True)
    comment.fill("a vessel")
    comment.press("Enter")
    tab.get_by_role("radio", name="reject").or_(tab.get_by_role("button", name="reject")).click()
    expect(tab.get_by_text(re.compile("0 accepted, 1 rejected, 0 unsure; precision 0.00"))).to_be_visible()
    script_over(tab)  # a file that is asked for while a run makes its button anew is the former one, or none
    rows = findings(tab)
    assert rows[1][-2:] == ["reject", "a vessel"]
    assert all(row[-2:] == ["n/a", "n/a"] for row in rows[2:])
    labels = nib.load(saved(tab, "Clusters, NIfTI", tmp_path / "labels.nii.gz"))
    voxel_ml = abs(np.linalg.det(labels.affine[:3, :3])) / 1000
    counts = np.bincount(np.asarray(labels.dataobj, int).ravel())[1:]
    np.testing.assert_allclose(counts * voxel_ml, [float(row[2]) for row in rows[1:]], atol=1e-3)


def findings(tab: Page) -> list[list[str]]:
    """The cells of the table that is downloaded, its header first."""
    return [line.split("\t") for line in saved(tab, "Findings, TSV").read_text().splitlines()]


def saved(tab: Page, button: str, path: Path | None = None) -> Path:
    """The file that it gives."""
    with tab.expect_download() as download:
        tab.get_by_role("button", name=button).click()
    if path:
        download.value.save_as(path)
    return path or Path(download.value.path())


@pytest.mark.shows(23)
def test_a_reload_restores_crosshair_and_threshold(browser, tab, address):
    tab.get_by_role("button", name="Axial").focus()
    pictures = tab.locator(".panel .view canvas")
    panels = pictures.count()
    pictures.last.dblclick()
    expect(pictures).to_have_count(1)
    tab.keyboard.press("Escape")
    expect(pictures).to_have_count(panels)
    tab.locator(".panel .view canvas").first.click(position={"x": 100, "y": 120})
    tab.keyboard.press("]")
    tab.keyboard.press("]")
    tab.wait_for_url(re.compile("above="))
    two_frames(tab)
    note = tab.locator('section[aria-label="Voxel atlas (baseline)"] .note').inner_text()
    above = re.search("Above ([0-9.]+)", note)[1]
    tab.wait_for_url(lambda url: f"Voxel atlas (baseline):{above}" in unquote_plus(url))  # after the second key
    where = crosshair(tab)
    again = opened(browser, tab.url)
    assert crosshair(again) == where
    assert again.locator('section[aria-label="Voxel atlas (baseline)"] .note').inner_text() == note
    again.close()


def test_an_address_that_names_no_voxel_is_as_good_as_none(browser, tab, address):
    strange = opened(browser, f"{address}/?at=900.1.<b>&above=Residual:nan~x")
    assert strange.began == tab.began
    strange.close()


@pytest.mark.shows(22)
def test_report_and_all_as_one_zip_are_made_when_asked_for(tab):
    for label, start in {"Report, HTML": b"<!doctype html>", "All as one .zip": b"PK"}.items():
        with open(downloaded(tab, label).path(), "rb") as file:
            assert file.read(len(start)) == start


@pytest.mark.shows(38)
def test_a_figure_for_slides_says_what_the_page_says_and_has_the_slices_that_were_chosen(tab):
    note = tab.locator('section[aria-label="Voxel atlas (baseline)"] .note').inner_text()
    to_save(tab, "Figure, SVG")
    assert saved(tab, "Figure, PNG (300 dpi)").read_bytes().startswith(b"\x89PNG")
    said = svg_texts(saved(tab, "Figure, SVG").read_bytes())
    assert "Voxel atlas (baseline)" in said
    here, healthy = (float(one) for one in re.search("here ([0-9.]+) %, healthy ([0-9.]+) %", note).groups())
    ours = [re.fullmatch("here ([0-9.]+) %, healthy ([0-9.]+) %", one) for one in said]
    found = [tuple(map(float, one.groups())) for one in ours if one]
    assert any(one == pytest.approx((here, healthy), abs=0.11) for one in found), (note, found)
    assert f"axial {crosshair(tab)[2] + 1}" in said
    tab.get_by_role("textbox", name="Title, empty for none").fill("A $brain$ <b>")
    tab.get_by_role("radio", name="white").or_(tab.get_by_role("button", name="white")).click()
    script_over(tab)
    said = svg_texts(saved(tab, "Figure, SVG").read_bytes())
    assert said[0] == "A $brain$ <b>"
    tab.keyboard.press("Escape")


@pytest.mark.shows(12)
@pytest.mark.parametrize(("codes", "turn_degrees"), [("LAS", 0), ("PSR", 20)])
def test_a_downloaded_map_lies_on_the_uploaded_files_own_grid(reader, brain_volume, tmp_path, codes, turn_degrees):
    image = reoriented(brain_volume, codes, turn_degrees)
    image.set_qform(image.affine, 1)
    image.set_sform(image.affine, 4)
    nib.save(image, tmp_path / f"{codes}.nii.gz")
    upload(reader, tmp_path / f"{codes}.nii.gz")
    name, found = downloaded_map(reader, tmp_path)
    assert name == f"{codes}_voxel_atlas.nii.gz"
    assert found.shape == image.shape
    np.testing.assert_array_equal(found.affine, image.affine)
    assert [int(found.header[code]) for code in ("qform_code", "sform_code")] == [1, 4]
    assert not found.get_fdata()[np.asarray(image.dataobj) == 0].any()


@pytest.mark.shows(19)
def test_the_line_of_the_histogram_follows_the_threshold(tab):
    read = "(plot) => plot.layout.shapes[0].x0"
    names = plotted(tab, "(plot) => plot.data.map((one) => one.name)", within="[class*=st-key-explore_histogram]")
    assert names == ["Normal voxels", "Anomalous voxels (truth)", "Healthy brains"]
    before = plotted(tab, read, within="[class*=st-key-explore_histogram]")
    tab.locator(".viewer").focus()
    for _ in range(5):
        tab.keyboard.press("]")
    two_frames(tab)
    note = tab.locator('section[aria-label="Logistic fusion of maps"] .note').inner_text()
    wanted = float(re.search(r"Above ([\d.]+)", note)[1])
    expect(tab.get_by_text(f"The largest clusters above {wanted:.3g}")).to_be_visible()
    until(lambda: plotted(tab, read, within="[class*=st-key-explore_histogram]") == pytest.approx(wanted, rel=2e-3))
    assert before < wanted


@pytest.mark.shows(47)
def test_the_outline_of_a_heads_brain_can_be_looked_at_and_warnings_are_a_line_each_until_why_is_asked(reader, head, tmp_path):
    content = scan_file(head[0])
    (tmp_path / "head.nii").write_bytes(content[:252] + bytes(4) + content[256:])  # qform_code and sform_code
    upload(reader, tmp_path / "head.nii")
    said = reader.get_by_test_id("stAlertContainer").filter(has_text="This is a whole head")
    lines = said.inner_text().splitlines()
    assert lines == [
        "Check left and right: the header says nothing of them (its qform and sform codes are 0)",
        "This is a whole head: the brain was extracted first; check its outline.",
    ]
    assert said.bounding_box()["height"] < 20 + 21 * len(lines)
    reader.get_by_role("button", name="Why?").click()
    why = reader.locator("[data-testid=stPopoverBody]")
    expect(why).to_contain_text(f"{lines[0]}. An image cannot show them.")
    reader.keyboard.press("Escape")
    reader.get_by_role("button", name="Outline of the brain").click()
    picture = reader.locator("[data-testid=stPopoverBody] img")
    expect(picture).to_be_visible()
    until(lambda: picture.evaluate("(one) => one.naturalWidth > 2 * one.naturalHeight"))
    reader.keyboard.press("Escape")


def test_a_map_of_a_dicom_series_is_downloaded_as_nifti(reader, brain_volume, tmp_path):
    write_volume(brain_volume, tmp_path / "series")
    (tmp_path / "own.zip").write_bytes(zipped(tmp_path / "series"))
    upload(reader, tmp_path / "own.zip")
    expect(reader.get_by_text("own.zip: 120 × 120 × 78 voxels")).to_be_visible()
    name, found = downloaded_map(reader, tmp_path)
    assert name == "own_voxel_atlas.nii.gz"
    assert nib.aff2axcodes(found.affine) == ("L", "P", "S"), "as the series is stored"
    marked = np.argwhere(found.get_fdata() != 0) @ found.affine[:3, :3].T + found.affine[:3, 3]
    brain = np.argwhere(brain_volume.mask) @ brain_volume.affine[:3, :3].T + brain_volume.affine[:3, 3]
    np.testing.assert_allclose(marked.mean(0), brain.mean(0), atol=1)


@pytest.mark.shows(26)
def test_what_would_be_missed_is_measured_while_the_reader_looks_on(browser, address):
    tab = opened(browser, f"{address}/?methods=Voxel+atlas+(baseline)")
    button = tab.get_by_role("button", name="What would be missed here?")
    button.click()
    expect(tab.get_by_text(re.compile(r"^By \d+ of 250 lesions;"))).to_be_visible()
    expect(button).to_be_disabled()
    tab.get_by_role("button", name="Cancel").click()
    expect(tab.get_by_text(re.compile("^Detection limits of .* was cancelled after"))).to_be_visible()
    expect(button).to_be_enabled()
    script_over(tab)
    button.click()
    expect(tab.get_by_text(re.compile(r"^By \d+ of 250 lesions after \d+ s;"))).to_be_visible()
    expect(tab.get_by_role("img", name="Where in the brain more or fewer lesions are found")).to_be_visible()
    expect(tab.get_by_role("heading", name=re.compile("in this scan, at this threshold, it finds"))).to_be_visible()
    script_over(tab)
    record = json.loads(saved(tab, "Detection limits, JSON").read_text())
    assert record["lesions"]
    assert "What would be missed" in Path(downloaded(tab, "Report, HTML").path()).read_text()
    tab.close()


@pytest.mark.shows(35)
def test_a_tour_has_five_stops_and_an_address_each(browser, address):
    tab = opened(browser, f"{address}/?demo=2")
    expect(tab.get_by_text("2 of 5: A painted lesion")).to_be_visible()
    inside = tab.get_by_text(IN_TRUTH)
    expect(inside).to_be_visible()
    for stop in ("3 of 5: A patient found", "4 of 5: A patient missed", "5 of 5: What would be missed"):
        tab.get_by_role("button", name="Next").click()
        expect(tab.get_by_text(stop)).to_be_visible()
        tab.wait_for_url(re.compile(f"demo={stop[0]}"))
        wait_for_maps(tab)
        expect(inside).to_have_count(0 if stop[0] == "5" else 1)
    script_over(tab)
    tab.get_by_role("combobox", name="Scan", exact=True).click()
    tab.get_by_role("option", name="MS patient").click()
    expect(tab.get_by_text("Another scan is shown now.")).to_be_visible()
    script_over(tab)
    tab.get_by_role("button", name="Return to this stop").click()
    expect(tab.get_by_text("So ask before you trust a map.")).to_be_visible()
    script_over(tab)
    tab.get_by_role("button", name="End the tour").click()
    expect(tab.get_by_role("button", name="Tour", exact=True)).to_be_visible()
    expect(tab).not_to_have_url(re.compile("demo="))
    tab.close()
