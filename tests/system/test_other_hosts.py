"""Nothing that strangers write, cards, tables and names, makes a reader's browser ask another host."""

import io
import json
import os
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_checkpoints_page import HOSTILE
from tests.browser.test_notices import NAME
from tests.support.contents import archive
from tests.support.scans import scan_file
from tests.support.server import served
from tests.support.waiting import script_over, wait_for_maps
from vaead_core.experiments import records

WEB = "https:elsewhere.example a@elsewhere.example :material/home: :streamlit: :smile: -> $x$"
PICTURES = "<img src=https://elsewhere.example/t.png> ![t](https://elsewhere.example/t.png)"
ELSEWHERE = f"{PICTURES} https://elsewhere.example www.elsewhere.example"
FOLDER = "www.elsewhere.example ![t](https:elsewhere.example) <img src=https:elsewhere.example>"
VIEWS = {
    "Benchmark": ("Methods", "Which method", "Size and intensity", "Thesis", "Scanners", "Curves", "Fashion images", "Your own"),
    "Checkpoints": ("Inspect", "Compare", "Upload", "Train", "Calibrate"),
    "Cohort": ("Scans", "Two groups", "Two visits", "Verdicts"),
}


@pytest.fixture(scope="module")
def hostile(tiny_checkpoint_folder, tiny_study, tmp_path_factory):
    """Address of a server whose checkpoints, tables and study are a stranger's."""
    place = tmp_path_factory.mktemp("hostile")
    packed = zipfile.ZipFile(io.BytesIO(archive(tiny_checkpoint_folder, "x", README_md=HOSTILE, says={"notes": ELSEWHERE})))
    packed.extractall(place / "checkpoints")
    (place / "checkpoints" / "x").rename(place / "checkpoints" / FOLDER)
    one = records.Measurement("segmentation", "residual", ELSEWHERE, True, ELSEWHERE, ELSEWHERE, "a", ELSEWHERE, 0, 0.5, 0.5, 0.1)
    about = {"command": ELSEWHERE, "parts": 1, "seconds": 1.0, "checkpoints": {ELSEWHERE: "0"}}
    records.write(place / "results", "slices", records.table("slices", [one]), about)
    own = {"VAEAD_CHECKPOINTS": str(place / "checkpoints"), "VAEAD_SHIPPED": "off", "VAEAD_RESULTS": str(place / "results")}
    own |= {"VAEAD_DATA": str(_hostile_study(tiny_study))}
    with served(env=os.environ | own) as address:
        yield address


def _hostile_study(study: Path) -> Path:
    """The folder in which it lies."""
    people = "".join(f"sub-0{number}\t{ELSEWHERE if number % 2 else WEB}\n" for number in range(1, 6))
    (study / "participants.tsv").write_text(f"participant_id\t{ELSEWHERE}\n{people}")
    (study / "participants.json").write_text(json.dumps({ELSEWHERE: {"Description": ELSEWHERE, "Units": ELSEWHERE}}))
    for path in study.rglob("*_scores.json"):
        told = json.loads(path.read_text())
        said = {"sentence": ELSEWHERE} if told["sentence"] else {"warnings": [ELSEWHERE]}
        path.write_text(json.dumps(told | said | {"command": ELSEWHERE}))
    return study.rename(study.with_name(FOLDER)).parent


def test_no_page_asks_another_host(hostile, browser, brain_volume):
    tab = browser.new_page()
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(hostile)
    wait_for_maps(tab)
    for content, said in ((b"no scan" * 100, "is not a NIfTI file"), (scan_file(brain_volume, 1.3), "Similarity")):
        file = {"name": f"{WEB} {NAME} www.elsewhere.example.nii", "mimeType": "application/octet-stream", "buffer": content}
        tab.locator("input[type=file]").first.set_input_files(file)
        expect(tab.get_by_text(said).first).to_be_visible()
        script_over(tab)
    for page in ("Explore", "Toy lab", "Latent space", *VIEWS):
        tab.get_by_role("link", name=page).click()
        expect(tab.get_by_role("heading", name=page, level=2)).to_be_visible()
        _look(tab, hostile)
        for view in VIEWS.get(page, ()):
            tab.get_by_role("radio", name=view, exact=True).click()
            _look(tab, hostile)
            if view == "Scans":
                expect(tab.get_by_text("7 scans: 4 scored, 3 failed.")).to_be_visible()
    assert len(asked) > 100
    assert [url for url in asked if not url.startswith((hostile, "data:", f"blob:{hostile}"))] == []
    tab.close()


def _look(tab: Page, here: str) -> None:
    """Waits until a page is drawn, on which nothing leads elsewhere."""
    script_over(tab)
    assert tab.get_by_test_id("stException").count() == 0, tab.get_by_test_id("stException").first.inner_text()
    led_to = tab.locator(".stMain a, .stSidebar a").evaluate_all("links => links.map((link) => link.href)")
    assert [url for url in led_to if not url.startswith(here)] == []
