"""Which scan a page shows, and what of it outlives Back, a reload, another choice and another session."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import nibabel as nib
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.support.downloads import downloaded_map
from tests.support.plots import plotted
from tests.support.scans import scan_file
from tests.support.shared_tab import shared_tab
from tests.support.waiting import script_over, wait_for_maps
from vaead_core.measures.metrics import detection
from vaead_core.scans.volume import Volume

SAMPLE = "Healthy brain B with a painted lesion"
SHOWN = re.compile(r"^own\.nii: 120 × 120 × 78 voxels of 2 × 2 × 2 mm\. Similarity to the atlas 0\.\d\d, of healthy brains")
LOST = "The scan that this address was made with is no longer here"


@pytest.fixture
def own(brain_volume, tmp_path) -> Path:
    """A scan's file, and beside it the bright ball in it as a mask on a grid of its own."""
    path = tmp_path / "own.nii"
    path.write_bytes(scan_file(brain_volume))
    i, j, k = np.indices(brain_volume.data.shape)
    ball = ((i - 78) ** 2 + (j - 62) ** 2 + (k - 44) ** 2 < 25) & (brain_volume.data > 0)
    nib.save(nib.Nifti1Image(ball[::-1].astype(np.uint8), brain_volume.affine @ flipped(len(ball))), tmp_path / "ball.nii.gz")
    return path


def flipped(length: int) -> np.ndarray:
    """(4, 4): the first axis the other way round."""
    turn = np.diag([-1.0, 1, 1, 1])
    turn[0, 3] = length - 1
    return turn


def opened(browser, address: str) -> Page:
    tab = browser.new_page()
    tab.goto(address)
    shown(tab)
    return tab


uploads = shared_tab(opened)


@pytest.fixture
def tab(uploads, request):
    """The page with the sample; other scans were shown before."""
    with uploads.lent(request.session) as tab:
        if urlsplit(tab.url).path != "/":
            tab.get_by_role("link", name="Explore").click()
            shown(tab)
        if chosen(tab).input_value() != SAMPLE:
            choose(tab, SAMPLE)
        yield tab


def shown(tab: Page) -> None:
    wait_for_maps(tab)
    script_over(tab)
    wait_for_maps(tab)


def upload(tab: Page, path: Path) -> None:
    tab.locator("input[type=file]").first.set_input_files(path)
    expect(chosen(tab)).to_have_value("Your own scan")
    shown(tab)


def choose(tab: Page, name: str) -> None:
    chosen(tab).click()
    tab.get_by_role("option", name=name, exact=True).click()
    expect(chosen(tab)).to_have_value(name)
    shown(tab)


def chosen(tab: Page):
    return tab.get_by_role("combobox", name="Scan", exact=True)


def test_back_in_the_browser_keeps_the_methods(browser, address):
    tab = opened(browser, address)
    panels = tab.locator(".panel").count()
    tab.get_by_role("link", name="Latent space").click()
    expect(tab.get_by_text("Decode along a direction")).to_be_visible()
    tab.go_back()
    shown(tab)
    assert tab.locator(".panel").count() == panels == 5
    expect(tab.get_by_text("Choose at least one method")).to_be_hidden()
    tab.close()


def test_one_list_names_what_is_shown_and_leads_from_the_upload_to_a_sample_and_back(tab, own):
    expect(tab.get_by_text("A healthy adult of 66 with one lesion painted in")).to_be_visible()
    upload(tab, own)
    expect(tab.get_by_text(SHOWN)).to_be_visible()
    choose(tab, SAMPLE)
    expect(tab.get_by_text("A healthy adult of 66 with one lesion painted in")).to_be_visible()
    expect(tab.get_by_text("own.nii: 120")).to_be_hidden()
    choose(tab, "Your own scan")
    expect(tab.get_by_text("own.nii: 120")).to_be_visible()
    tab.get_by_role("link", name="Toy lab").click()
    expect(tab.get_by_text("own.nii: 120")).to_be_visible()
    expect(chosen(tab)).to_have_value("Your own scan")


def test_a_link_made_with_an_upload_says_so_elsewhere_and_moves_no_crosshair_of_the_sample(browser, address, own):
    tab = opened(browser, address)
    peak = tab.locator(".readout").inner_text()
    upload(tab, own)
    tab.locator(".panel .view canvas").first.click(position={"x": 140, "y": 120})
    expect(tab).to_have_url(re.compile(r"at=\d"))
    script_over(tab)
    assert "own.nii" not in tab.url
    other = opened(browser, tab.url)
    expect(other.get_by_text(LOST)).to_be_visible()
    expect(chosen(other)).to_have_value(SAMPLE)
    assert other.locator(".readout").inner_text() == peak
    choose(other, "Healthy brain A")
    expect(other.get_by_text(LOST)).to_be_hidden()
    other.close()
    tab.reload()
    shown(tab)
    expect(tab.get_by_text(LOST)).to_be_visible()
    tab.close()


def test_a_reload_brings_the_toys_back_and_says_where_the_address_only_counts_them(browser, address):
    tab = opened(browser, f"{address}/toy_lab")
    tab.get_by_role("button", name="Random").click()
    expect(tab.get_by_text("Toys: 1.")).to_be_visible()
    expect(tab).to_have_url(re.compile("toys=circle"))
    tab.reload()
    expect(tab.get_by_text("Toys: 1.")).to_be_visible()
    tab.goto(f"{address}/toy_lab?toys=60")
    sentence = tab.get_by_text("The toys that this address was made with are no longer here")
    expect(sentence).to_be_visible()
    tab.get_by_role("button", name="Random").click()
    expect(tab.get_by_text("Toys: 1.")).to_be_visible()
    tab.get_by_role("button", name="Clear", exact=True).click()
    expect(tab).not_to_have_url(re.compile("toys="))
    tab.close()


def test_nothing_of_the_last_scan_stays_while_the_next_is_computed(tab, brain_volume, tmp_path):
    new = tmp_path / "new.nii"
    new.write_bytes(scan_file(brain_volume, 1.37))  # which no other test has opened
    expect(tab.get_by_role("button", name="Save", exact=True)).to_be_visible()
    tab.evaluate("""() => {
      window.seen = [];
      const look = () => window.seen.push([
        document.body.innerText.includes('Registering to the SRI24 atlas'),
        !!document.querySelector('[data-testid^=stBidiComponent]'),
        [...document.querySelectorAll('button')].some((one) => one.innerText.includes('Save'))]);
      new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
    }""")
    upload(tab, new)
    expect(tab.get_by_role("button", name="Save", exact=True)).to_be_visible()
    seen = tab.evaluate("window.seen")
    assert [True, False, False] in seen, "while it is registered, neither the former's maps nor its files are there"
    assert seen[-1] == [False, True, True]


def test_an_uploads_truth_is_outlined_and_judged_as_a_toy_is(tab, own, brain_volume: Volume, tmp_path):
    upload(tab, own)
    expect(tab.get_by_text("Against the truth")).to_be_hidden()
    tab.locator("input[type=file]").nth(1).set_input_files(own.with_name("ball.nii.gz"))
    expect(tab.get_by_text("Against the truth")).to_be_visible()
    truth = nib.as_closest_canonical(nib.load(own.with_name("ball.nii.gz"))).get_fdata() > 0
    expect(tab.get_by_text(f"The truth marks {0.008 * truth.sum():.3g} ml")).to_be_visible()
    expect(tab.get_by_label("True/false")).to_be_visible()
    script_over(tab)
    _, voxel_atlas = downloaded_map(tab, tmp_path)
    values = nib.as_closest_canonical(voxel_atlas).get_fdata()
    brain = brain_volume.mask
    wanted = detection(np.abs(values)[brain], truth[brain])
    at = "[class*=st-key-explore_curves]"
    chance = plotted(tab, "(plot) => plot.data.filter((one) => one.line?.dash === 'dot').map((one) => one.y[0])", within=at)
    assert chance == pytest.approx([wanted.prevalence] * 4)
    points = "(plot) => plot.data.filter((one) => one.mode === 'markers').map((one) => [one.x[0], one.y[0]])"
    note = tab.locator('section[aria-label="Voxel atlas (baseline)"] .note').inner_text()
    marked = np.abs(values) > float(re.search(r"Above ([\d.]+)", note)[1])
    recall, precision = marked[truth].mean(), truth[marked].mean()
    assert plotted(tab, points, within=at)[3] == pytest.approx([recall, precision], abs=5e-3)
    choose(tab, "Healthy brain A")
    expect(tab.get_by_text("Against the truth")).to_be_hidden()
    choose(tab, "Your own scan")
    expect(tab.get_by_text("Against the truth")).to_be_visible()


def test_a_truth_of_another_scan_is_one_sentence_and_the_scan_stays(tab, own, brain_volume, tmp_path):
    elsewhere = tmp_path / "elsewhere.nii.gz"
    far = brain_volume.affine.copy()
    far[:3, 3] += 300
    nib.save(nib.Nifti1Image((brain_volume.data > 0).astype(np.uint8), far), elsewhere)
    upload(tab, own)
    tab.locator("input[type=file]").nth(1).set_input_files(elsewhere)
    expect(tab.get_by_text("0 % of elsewhere.nii.gz lies in the brain of own.nii")).to_be_visible()
    tab.get_by_role("button", name="Why?").click()
    expect(tab.get_by_text("lies in the brain of own.nii; give a mask drawn on")).to_be_visible()
    tab.keyboard.press("Escape")
    shown(tab)
