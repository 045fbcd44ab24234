"""The Explore page with an upload and its truth, a script run after the other."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from pages.shared.scan_input import YOURS, Upload
from tests.support.scans import scan_file
from tests.support.svg import svg_texts
from vaead_core import __version__, scorers
from vaead_core.measures.metrics import detection
from vaead_core.pipeline import scoring
from vaead_core.scans.nifti import read_nifti
from vaead_core.study.names import as_label

ROOT = Path(__file__).resolve().parents[1]
LABELS = {2: slice(20, 34), 5: slice(40, 60)}  # of the third axis


@pytest.fixture(scope="module")
def label_map(brain_volume) -> np.ndarray:
    """Two lesions of a label each, of different sizes, within the brain."""
    found = np.zeros(brain_volume.data.shape, np.uint8)
    for label, part in LABELS.items():
        found[60:75, 50:70, part] = label
    return found * brain_volume.mask


def held(name: str, content: bytes) -> Upload:
    return Upload(name, content, hashlib.blake2b(content).hexdigest())


@pytest.fixture
def app(checkpoints, brain_volume, label_map) -> AppTest:
    """The page with a scan and a label map uploaded, and its maps drawn."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=240)
    app.session_state.own_scans = set()
    app.session_state.kept_upload = held("own.nii", scan_file(brain_volume))
    labels = nib.Nifti1Image(label_map, brain_volume.affine).to_bytes()
    app.session_state.kept_truth = held("labels.nii", labels)
    app.session_state.sample = YOURS
    app.session_state.explore_drawn = True
    return app.run()


def chosen_labels(app: AppTest):
    [found] = [one for one in app.multiselect if one.label == "Labels that count"]
    return found


def against_truth(app: AppTest):
    [found] = [table.value for table in app.dataframe if "Chance (prevalence)" in table.value]
    return found.set_index("Method")


def test_the_labels_of_a_truth_that_count_are_chosen_and_its_figures_follow(app, brain_volume, label_map, tiny_checkpoint):
    assert not app.exception
    assert chosen_labels(app).options == ["2", "5"]
    assert chosen_labels(app).value == [2, 5]
    assert "labels.nii has the labels 2, 5; all of them count." in warnings(app)

    prepared = scoring.prepare(read_nifti(scan_file(brain_volume), "own.nii"), tiny_checkpoint)
    maps = scoring.score(prepared, tiny_checkpoint, "voxel_atlas").map_values
    values = scorers.abnormality("voxel_atlas", scoring.native_map(prepared, tiny_checkpoint, maps))[brain_volume.mask]
    for labels in ([2, 5], [5], [2]):
        chosen_labels(app).set_value(labels).run()
        wanted = detection(values, np.isin(label_map, labels)[brain_volume.mask])
        row = against_truth(app).loc["Voxel atlas (baseline)"]
        assert row["Average precision"] == round(wanted.ap, 3)
        assert row["Chance (prevalence)"] == round(wanted.prevalence, 4)
        assert any(f"The truth marks {0.008 * np.isin(label_map, labels).sum():.3g} ml." in one.value for one in app.caption)
    assert "Of labels.nii, the labels 2 count." in warnings(app)


def test_no_label_is_a_sentence_and_the_choice_stays(app):
    chosen_labels(app).set_value([]).run()
    assert "No label of labels.nii counts; choose at least one in the sidebar." in warnings(app)
    assert not [table for table in app.dataframe if "Chance (prevalence)" in table.value]
    chosen_labels(app).set_value([5]).run()
    assert len(against_truth(app))


def test_a_truth_of_one_label_has_nothing_to_choose(app, brain_volume, label_map):
    mask = nib.Nifti1Image((label_map == 5).astype(np.uint8), brain_volume.affine).to_bytes()
    app.session_state.kept_truth = held("mask.nii", mask)
    app.run()
    assert not [one for one in app.multiselect if one.label == "Labels that count"]
    assert len(against_truth(app))


def test_the_scale_of_comparison_moves_thresholds_and_no_ranks(app):
    [scale] = [one for one in app.button_group if one.label == "Thresholds from"]
    [scores] = [table.value for table in app.dataframe if "Compared on" in table.value]
    assert set(scores["Compared on"]) == {"this scan's scale"}
    [which] = [one for one in app.selectbox if one.label == "Map"]
    which.set_value("voxel_atlas").run()
    before, ranks = threshold(app), against_truth(app)["Average precision"]
    scale.set_value("healthy").run()
    assert not app.exception
    [scores] = [table.value for table in app.dataframe if "Compared on" in table.value]
    assert set(scores["Compared on"]) == {"healthy brains' scale"}
    assert threshold(app) != before
    assert against_truth(app)["Average precision"]["Voxel atlas (baseline)"] == ranks["Voxel atlas (baseline)"]


def test_thresholds_of_a_site_are_those_of_its_file_and_it_is_named(app, checkpoints, tiny_site, tmp_path, monkeypatch):
    site, file = replace(tiny_site, name="ward-3"), tmp_path / "tiny.ward-3.site.npz"
    site.write(file)
    (tmp_path / "tiny").symlink_to(checkpoints / "tiny")
    monkeypatch.setenv("VAEAD_CHECKPOINTS", str(tmp_path))
    app.run()
    [choice] = [one for one in app.button_group if one.label == "Thresholds from"]
    assert choice.options == ["this scan", "the training site", "ward-3"]
    choice.set_value("site ward-3").run()
    assert not app.exception
    [which] = [one for one in app.selectbox if one.label == "Map"]
    which.set_value("voxel_atlas").run()
    assert threshold(app) == pytest.approx(site.calibration["voxel_atlas"].threshold(0.05), rel=0.01)
    [scores] = [table.value for table in app.dataframe if "Compared on" in table.value]
    assert set(scores["Compared on"]) == {"3 healthy scans of ward-3"}
    _, low, high = site.left_out_shares("voxel_atlas", "healthy", 0.05)
    at = list(scores["Method"]).index("Voxel atlas (baseline)")
    assert scores["Marked of a left-out scan at 5 %"][at] == f"{100 * low:.1f} to {100 * high:.1f} %"
    assert any("Percentiles come from 3 healthy scans of ward-3" in one.value for one in app.caption)
    file.unlink()
    app.run()
    assert not app.exception
    [scores] = [table.value for table in app.dataframe if "Compared on" in table.value]
    assert set(scores["Compared on"]) == {"this scan's scale"}, "it is gone"


def threshold(app: AppTest) -> float:
    """Of the map in numbers."""
    [found] = [re.search(r"clusters above ([\d.]+),", one.value) for one in app.caption if "The largest clusters" in one.value]
    return float(found[1])


def warnings(app: AppTest) -> list[str]:
    return [one.value.replace("\\", "") for one in app.warning]


def test_a_cluster_that_was_gone_to_is_judged_and_the_verdict_stands_in_table_and_file(app, brain_volume, monkeypatch):
    files = {}
    monkeypatch.setattr("pages.shared.explore.findings.offer", lambda label, content, *_: files.setdefault(label, content))
    assert not app.exception
    table = next(one.value for one in app.dataframe if "Verdict" in one.value)
    assert set(table["Region"].str.split().str[0]) <= {"left", "right", "midline", "outside"}
    assert not any(one.label == "Comment" for one in app.text_input), "nothing is chosen yet"
    peak = np.linalg.inv(brain_volume.affine) @ [*table.loc[1, ["R, mm", "A, mm", "S, mm"]].astype(float), 1]
    app.session_state.explore_chosen = tuple(np.rint(peak[:3]).astype(int).tolist())
    app.run()
    [verdict] = [one for one in app.segmented_control if one.label == "Verdict"]
    verdict.set_value("accept").run()
    [comment] = [one for one in app.text_input if one.label == "Comment"]
    comment.set_value("near\ta *vessel*").run()
    assert not app.exception
    table = next(one.value for one in app.dataframe if "Verdict" in one.value)
    assert table["Verdict"].tolist()[:3] == ["", "accept", ""]
    assert any(one.value.startswith("1 of ") and "1 accepted, 0 rejected" in one.value for one in app.caption)
    of_the_run_before = files["Findings, TSV"]().splitlines()  # as when a file is asked for while a comment is taken up
    assert of_the_run_before[2].split("\t")[-2:] == ["accept", "near a *vessel*"]


def test_all_of_a_scan_is_a_zip_in_bidss_names_that_another_thread_can_make(app, brain_volume, monkeypatch):
    """As Streamlit does when the file is asked for: in a thread without a session."""
    files = {}
    monkeypatch.setattr("pages.shared.explore.panels.offer", lambda label, content, *_: files.setdefault(label, content))
    table = next(one.value for one in app.dataframe if "Verdict" in one.value)
    peak = np.linalg.inv(brain_volume.affine) @ [*table.loc[1, ["R, mm", "A, mm", "S, mm"]].astype(float), 1]
    app.session_state.explore_chosen = tuple(np.rint(peak[:3]).astype(int).tolist())
    app.run()
    [verdict] = [one for one in app.segmented_control if one.label == "Verdict"]
    verdict.set_value("accept").run()
    assert not app.exception
    with ThreadPoolExecutor(1) as other, zipfile.ZipFile(io.BytesIO(other.submit(files["All as one .zip"]).result())) as archive:
        names = archive.namelist()
        record = json.loads(archive.read("sub-own/anat/sub-own_scores.json"))
        tables = {name: archive.read(name).decode() for name in names if name.endswith("_dseg.tsv")}
    assert record["made_of"]["scan"] == hashlib.sha256(scan_file(brain_volume)).hexdigest()
    assert record["scan"] == "sub-own/anat/sub-own_T1w.nii"
    methods = app.session_state.methods
    assert set(record["found"]) == set(methods)
    maps = {f"sub-own/anat/sub-own_space-T1w_desc-{as_label(name)}_statmap.nii.gz" for name in methods}
    assert maps == {name for name in names if name.endswith("_statmap.nii.gz")}
    assert [text.splitlines()[2].split("\t")[-2] for text in tables.values() if "verdict" in text] == ["accept"]


def test_the_same_scan_under_another_name_is_called_by_that_alone(app, brain_volume, monkeypatch):
    """It may be another person's, who gave it a name that tells more."""
    files = {}
    monkeypatch.setattr("pages.shared.explore.panels.offer", lambda label, content, *_: files.setdefault(label, content))
    app.session_state.kept_upload = held("visit.nii", scan_file(brain_volume))
    del app.session_state.kept_truth
    app.run()
    assert not app.exception
    with zipfile.ZipFile(io.BytesIO(files["All as one .zip"]())) as archive:
        names = archive.namelist()
    assert "sub-visit/anat/sub-visit_scores.json" in names
    assert not any("own" in name for name in names)


def test_a_figure_for_slides_has_the_slices_plane_paper_and_thresholds_of_the_page(app, monkeypatch):
    files = {}
    monkeypatch.setattr("pages.shared.explore.slides.offer", lambda label, content, *_: files.setdefault(label, content))
    app.session_state.explore_thresholds = {"Voxel atlas (baseline)": 2.5}
    for label, value in {"Slices": "5 over the brain", "Plane": "coronal"}.items():
        [choice] = [one for one in app.selectbox if one.label == label]
        choice.set_value(value)
    [paper] = [one for one in app.segmented_control if one.label == "Background"]
    paper.set_value("white")
    [title] = [one for one in app.text_input if one.label == "Title, empty for none"]
    assert title.value == "own"
    app.run()
    assert not app.exception
    with ThreadPoolExecutor(1) as other:
        picture, drawn = (other.submit(files[label]).result() for label in ("Figure, PNG (300 dpi)", "Figure, SVG"))
    said = svg_texts(drawn)
    assert said[0] == "own"
    assert len({one for one in said if one.startswith("coronal ")}) == 5
    assert any(one.startswith("Above 2.5 ") for one in said)
    assert "truth" in said
    assert f"vaead {__version__}, checkpoint tiny, research use only, not for diagnosis" in " ".join(said)
    with Image.open(io.BytesIO(picture)) as found:
        assert found.convert("RGB").getpixel((2, 2)) == (255, 255, 255)
        assert found.info["dpi"] == pytest.approx((300, 300), abs=0.1)


def test_a_figure_without_a_title_begins_with_the_scan(app, monkeypatch):
    files = {}
    monkeypatch.setattr("pages.shared.explore.slides.offer", lambda label, content, *_: files.setdefault(label, content))
    [title] = [one for one in app.text_input if one.label == "Title, empty for none"]
    title.set_value(" ").run()
    said = svg_texts(files["Figure, SVG"]())
    assert "own" not in said
    assert f"axial {app.session_state.explore_cursor[2] + 1}" in said
