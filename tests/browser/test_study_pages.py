"""A study's pages in chromium, as files of the disk: sorted, filtered, coloured, opened scan by scan."""

import json

import pytest
from playwright.sync_api import Page, expect

from tests.support.waiting import until
from vaead_core.__main__ import main

HOSTILE = "</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def out(tiny_study):
    """The results of a study whose participants.tsv is hostile; sub-02's second run is missing."""
    tree, out = tiny_study, tiny_study / "derivatives/vaead"
    people = (tree / "participants.tsv").read_text().replace("control", HOSTILE)
    (tree / "participants.tsv").write_text(people)
    (out / "sub-02/anat/sub-02_run-2_scores.json").unlink()
    path = out / "sub-01/ses-1/anat/sub-01_ses-1_scores.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"warnings": ["Look here."]}))
    assert main([str(tree), str(out), "group"]) == 0
    return out


@pytest.fixture
def tab(out, browser):
    """The group page. A script error, a refusal of its policy or a request to anything but a file fails the test."""
    page = browser.new_page()
    page.set_viewport_size({"width": 1440, "height": 900})
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.goto((out / "group.html").as_uri())
    yield page
    assert said == []
    assert [address for address in asked if not address.startswith(("file:", "data:"))] == []
    page.close()


def names(tab: Page) -> list[str]:
    return tab.locator("tbody tr:visible th").all_text_contents()  # inner texts are of rows within the window alone


def cells(tab: Page, title: str) -> list[str]:
    at = tab.locator("thead th").all_inner_texts().index(title)
    return [row.locator("th, td").nth(at).text_content() for row in tab.locator("tbody tr:visible").all()]


def test_a_click_on_a_head_sorts_and_another_turns_it_with_what_is_not_known_last(tab):
    head = tab.locator("thead th", has_text="Brain volume, mL")
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    values = [float(value) for value in cells(tab, "Brain volume, mL") if value]
    assert len(values) == 3
    assert values == sorted(values)
    assert cells(tab, "Brain volume, mL")[3:] == [""] * 4
    head.get_by_role("button").press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert [float(value) for value in cells(tab, "Brain volume, mL")[:3]] == values[::-1]
    tab.locator("thead th", has_text="Scan").get_by_role("button").click()
    assert head.get_attribute("aria-sort") is None
    assert names(tab) == sorted(names(tab))


def test_scans_are_found_by_state_and_by_text_and_the_others_dots_fade(tab):
    for state, found in {
        "failed 3": ["sub-03", "sub-04", "sub-05"],
        "missing 1": ["sub-02_run-2"],
        "flagged 1": ["sub-01_ses-1"],
        "scored 3": ["sub-01_ses-1", "sub-01_ses-2", "sub-02_run-1"],
    }.items():
        tab.get_by_text(state, exact=True).click()
        until(lambda found=found: names(tab) == found)
    tab.get_by_label("Find").fill("RUN-1")
    assert names(tab) == ["sub-02_run-1"]
    expect(tab.get_by_text("1 of 7 scans shown")).to_be_visible()
    faded = tab.locator("circle.off").evaluate_all("dots => [...new Set(dots.map(dot => dot.dataset.said.split(':')[0]))]")
    assert sorted(faded) == ["sub-01_ses-1", "sub-01_ses-2"]
    tab.get_by_label("Find").fill("")
    tab.get_by_text("all 7", exact=True).click()
    tab.get_by_label("Find").fill("damaged")
    assert names(tab) == ["sub-03"]


def test_a_dot_names_its_scan_opens_it_and_leads_to_its_page(tab, out):
    dot = tab.locator("circle[data-said^='sub-02_run-1']").first
    dot.hover()
    expect(tab.locator("#tip")).to_contain_text("sub-02_run-1: ")
    dot.click()
    detail = tab.get_by_role("dialog")
    expect(detail.get_by_role("heading", name="sub-02_run-1")).to_be_visible()
    until(lambda: tab.evaluate("document.querySelector('dialog img').naturalWidth") > 0)
    detail.get_by_role("link", name="The page of sub-02_run-1").click()
    expect(tab).to_have_url((out / "sub-02_run-1.html").as_uri())
    expect(tab.get_by_role("heading", name="sub-02_run-1")).to_be_visible()
    assert tab.evaluate("document.querySelector('img').naturalWidth") > 0
    expect(tab.get_by_text("Research use only, not for diagnosis.")).to_be_visible()


def test_the_keyboard_alone_goes_along_a_strip_opens_a_scan_steps_on_and_closes(tab):
    strip = tab.locator("figure", has_text="Brain volume").locator("svg")
    strip.focus()
    tab.keyboard.press("ArrowRight")
    lowest = tab.locator("#tip").inner_text()
    tab.keyboard.press("ArrowLeft")
    assert tab.locator("#tip").inner_text() == lowest, "there is none before the lowest"
    tab.keyboard.press("Enter")
    detail = tab.get_by_role("dialog")
    expect(detail.get_by_role("heading")).to_have_text(lowest.split(":")[0])
    detail.get_by_role("button", name="Close").focus()
    shown = names(tab)
    tab.keyboard.press("ArrowRight")
    expect(detail.get_by_role("heading")).to_have_text(shown[(shown.index(lowest.split(":")[0]) + 1) % len(shown)])
    tab.keyboard.press("Escape")
    expect(detail).to_be_hidden()


def test_a_failed_and_a_missing_scan_open_with_their_sentence(tab):
    detail = tab.get_by_role("dialog")
    tab.get_by_role("button", name="sub-03").click()
    expect(detail).to_contain_text("sub-03_T1w.nii.gz is a damaged or cut-off gzip file; copy or download it again.")
    tab.keyboard.press("Escape")
    tab.get_by_role("button", name="sub-02_run-2").click()
    expect(detail).to_contain_text("Participant has not come to this scan.")
    assert detail.get_by_role("link").count() == 0


def test_dots_are_coloured_by_a_column_of_the_participants_whatever_its_values_are(tab):
    tab.get_by_label("Colour by").select_option("group")
    expect(tab.locator("#legend")).to_contain_text(HOSTILE)
    fills = tab.locator("circle").evaluate_all(
        "dots => dots.map(dot => [dot.dataset.said.split(':')[0], dot.getAttribute('fill')])"
    )
    colours = {name: fill for name, fill in fills}
    assert len(fills) > len(colours)
    assert colours["sub-01_ses-1"] == colours["sub-01_ses-2"] != colours["sub-02_run-1"], "who has no row is grey"


def test_pictures_are_loaded_when_they_are_seen_and_show_the_chosen_map(tab):
    tab.set_viewport_size({"width": 1440, "height": 300})
    tab.reload()
    assert tab.locator("img.thumb").count() == 3
    assert tab.locator("img.thumb[src]").count() == 0, "they lie far below the window"
    tab.locator("img.thumb").first.scroll_into_view_if_needed()
    until(lambda: tab.evaluate("document.querySelector('img.thumb').naturalWidth") > 0)
    before = tab.locator("img.thumb").first.screenshot()
    tab.get_by_label("Pictures show").select_option("Scan")
    assert tab.locator("img.thumb").first.screenshot() != before
    hidden = tab.locator("thead th", has_text="Made by")
    expect(hidden).to_be_hidden()
    tab.get_by_label("All columns").check()
    expect(hidden).to_be_visible()
