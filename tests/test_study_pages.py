"""The pages of a study: a scan's and the group's. They open offline, and what others named is text in them."""

import json
import re
import shutil
from html.parser import HTMLParser

import pytest
from PIL import Image

from tests.support.bids import FEW_MAPS
from vaead_core.__main__ import main
from vaead_core.figures.mosaic import EVEN, TILE
from vaead_core.study import group_page
from vaead_core.study.scan_page import scan_page

HOSTILE = "</script><img src=x onerror=alert(1)>"
USE = "Research use only, not for diagnosis."


@pytest.fixture(scope="module")
def ran(tiny_study):
    """A small study of hostile names, and the folder of its results; sub-02's second run is missing."""
    tree, out = tiny_study, tiny_study / "derivatives/vaead"
    people = (tree / "participants.tsv").read_text().replace("control", HOSTILE).replace("group", HOSTILE)
    (tree / "participants.tsv").write_text(people)
    for folder in (tree, out):
        about = folder / "dataset_description.json"
        about.write_text(about.read_text().replace("A small study", HOSTILE))
    (out / "sub-02/anat/sub-02_run-2_scores.json").unlink()
    assert main([str(tree), str(out), "group"]) == 0
    return tree, out


@pytest.fixture(scope="module")
def page(ran):
    return (ran[1] / "group.html").read_text()


def told(page: str) -> dict:
    """What the page's script reads."""
    (data,) = re.findall("<script type='application/json' id='data'>(.*)</script>", page)
    return json.loads(data)


def scans(page: str) -> dict[str, dict]:
    return {one["name"]: one for one in told(page)["scans"]}


class Asked(HTMLParser):
    """The addresses that a page's elements fetch, and those that its script and style name."""

    def __init__(self, page: str):
        super().__init__()
        self.found = re.findall(
            r"https?://[^\"'\s]+", "".join(re.findall("<script>.*?</script>|<style>.*?</style>", page, re.DOTALL))
        )
        self.found = [one for one in self.found if one != "http://www.w3.org/2000/svg"]
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        fetching = [
            value for name, value in attrs if name in ("src", "srcset", "data", "action") or (tag == "link" and name == "href")
        ]
        self.found += [one for one in fetching if not one.startswith("data:")]


def test_the_group_page_has_every_scan_with_its_sentence_and_where_its_own_page_lies(ran, page):
    found = scans(page)
    states = {name: one["state"] for name, one in found.items()}
    assert states.pop("sub-02_run-2") == "missing"
    assert states == dict.fromkeys(("sub-01_ses-1", "sub-01_ses-2", "sub-02_run-1"), "scored") | dict.fromkeys(
        ("sub-03", "sub-04", "sub-05"), "failed"
    )
    assert found["sub-03"]["sentence"] == "sub-03_T1w.nii.gz is a damaged or cut-off gzip file; copy or download it again."
    assert found["sub-02_run-2"]["page"] is None
    for name in states:
        assert (ran[1] / found[name]["page"]).is_file()
    assert USE in page


def test_its_pictures_are_those_of_the_scans_and_only_scored_ones_have_one(ran, page):
    for name, one in scans(page).items():
        assert (one["picture"] is None) == (one["state"] != "scored")
        if one["picture"]:
            assert f"id='{one['picture'].removeprefix('#')}'>data:image/webp;base64," in page
            picture = Image.open(ran[1] / f"{name.split('_')[0]}/figures/{name}_desc-mosaic_T1w.webp")
            assert picture.size == ((EVEN + 1) * TILE[0], (1 + len(one["maps"])) * TILE[1])
    assert page.count("<script type='text/plain'") == 3


def test_more_pictures_than_a_page_can_hold_stay_in_their_files_and_that_is_said(ran, monkeypatch, tmp_path, capsys):
    out = shutil.copytree(ran[1], ran[1].with_name(tmp_path.name))
    monkeypatch.setattr(group_page, "MOST_EMBEDDED", 1000)
    assert main([str(ran[0]), str(out), "group"]) == 0
    assert "group.html shows the pictures in sub-*/figures" in capsys.readouterr().out
    page = (out / "group.html").read_text()
    assert "base64" not in page.partition("<script>\n")[0]
    assert (out / scans(page)["sub-01_ses-1"]["picture"]).is_file()


def test_names_of_others_end_no_element_of_the_group_page(ran, page):
    data = told(page)
    assert data["name"] == f"Anomaly maps of {HOSTILE}"
    assert [column["title"] for column in data["columns"] if column["theirs"]] == ["age", HOSTILE]
    assert HOSTILE in scans(page)["sub-01_ses-1"]["values"]
    assert "onerror" not in page.replace(json.dumps(HOSTILE)[1:-1].replace("<", r"\u003c"), "")


def test_names_of_others_are_text_in_a_scans_page(ran):
    record = json.loads((ran[1] / "sub-01/ses-1/anat/sub-01_ses-1_scores.json").read_text())
    record |= {"scan": HOSTILE, "warnings": [HOSTILE], "command": HOSTILE, "compared_with": dict.fromkeys(FEW_MAPS, HOSTILE)}
    failed = record | {"sentence": HOSTILE}
    for page, count in ((scan_page(record, b"picture"), 3 + len(FEW_MAPS)), (scan_page(failed, None), 2)):
        assert "<img src=x" not in page
        assert page.count("&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;") == count


def test_a_scans_page_tells_what_its_record_and_its_tables_hold(ran):
    out = ran[1]
    page, record = (out / "sub-02_run-1.html").read_text(), json.loads((out / "sub-02/anat/sub-02_run-1_scores.json").read_text())
    assert USE in page
    for name in FEW_MAPS:
        found = record["found"][name]
        assert f"{found['volume_ml']:.1f} mL, {found['clusters']} clusters" in page
        assert f"<td>{record['scorers'][name]['scan_percentile']['top10']:.1f}</td>" in page
        (table,) = out.glob(f"sub-02/anat/*run-1*desc-{'voxelAtlas' if name == 'voxel_atlas' else name}_dseg.tsv")
        header, *rows = (line.split("\t") for line in table.read_text().splitlines())
        assert rows
        for row in rows[:5]:
            one = dict(zip(header, row, strict=True))
            for kind in ("peak", "atlas"):
                place = " ".join(f"{float(one[f'{kind}_{axis}']):.1f}" for axis in "xyz")
                assert f"<td>{place}</td>" in page
    assert f"{record['registration']['similarity']:.3f}" in page
    assert record["checkpoint"]["digest"] in page


def test_a_failed_scan_has_a_page_with_its_sentence(ran):
    page = (ran[1] / "sub-03.html").read_text()
    assert "sub-03_T1w.nii.gz is a damaged or cut-off gzip file; copy or download it again." in page
    assert USE in page
    assert "<img" not in page


def test_no_page_asks_anybody_for_anything(ran, page):
    assert Asked(page).found == []
    assert Asked(page.replace("<h1", "<img src='a.png'><h1")).found == ["a.png"]
    assert Asked(page.replace("const SVG", "fetch('https://example.org'); const SVG")).found == ["https://example.org"]
    pages = sorted(ran[1].glob("sub-*.html"))
    assert len(pages) == 7
    assert [Asked(one.read_text()).found for one in pages] == [[]] * 7


def test_the_group_page_is_the_same_twice(ran, page):
    assert main([str(ran[0]), str(ran[1]), "group"]) == 0
    assert (ran[1] / "group.html").read_text() == page


def test_what_a_reader_should_look_at_is_flagged(ran, tmp_path):
    out = shutil.copytree(ran[1], ran[1].with_name(tmp_path.name))
    for name, change in (("ses-1", {"warnings": ["Look here."]}), ("ses-2", {"made_of": {"scan": "x", "rate": 0.5}})):
        path = out / f"sub-01/{name}/anat/sub-01_{name}_scores.json"
        record = json.loads(path.read_text())
        path.write_text(json.dumps(record | change))
    for name in ("sub-01_ses-1", "sub-01_ses-2"):
        assert scans((ran[1] / "group.html").read_text())[name]["flags"] != ["Look here."]
    assert main([str(ran[0]), str(out), "group"]) == 0
    found = scans((out / "group.html").read_text())
    assert found["sub-01_ses-1"]["flags"] == ["Look here."]
    assert found["sub-01_ses-2"]["flags"][-1] == "It was made otherwise than most of the scans (made_by)."


def test_strips_show_the_range_of_healthy_scans_where_it_is_known(ran, page):
    data = told(page)
    strips = {data["columns"][strip["column"]]["title"]: strip for strip in data["strips"]}
    record = json.loads((ran[1] / "sub-02/anat/sub-02_run-1_scores.json").read_text())
    assert strips["Registration similarity"]["range"] == record["registration"]["healthy_similarities"]
    assert not strips["Mask Dice"].get("range")
    assert [strip["heading"] for strip in data["strips"] if strip.get("ends")] == ["Residual", "Voxel atlas (baseline)"]


def test_a_column_is_numbers_only_where_all_of_it_are(ran, page):
    kinds = {column["title"]: column["number"] for column in told(page)["columns"]}
    assert (kinds["age"], kinds[HOSTILE], kinds["Brain volume"], kinds["Made by"]) == (True, False, True, False)
