import json
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.scan_input import Upload
from pages.shared.server import queue
from tests.support.contents import FIRST
from tests.support.scans import scan_file
from vaead_core import scorers
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.scans.volume import Volume

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def page(checkpoints):
    return lambda: AppTest.from_file(str(ROOT / "pages" / "explore.py"), default_timeout=240)


def quick(app: AppTest, *methods: str) -> AppTest:
    """The page with few maps, for whom it does not matter which."""
    app.session_state.methods = list(methods or ("voxel_atlas",))
    return app.run()


@pytest.mark.shows(16)
@pytest.mark.parametrize("path", sorted((ROOT / "pages").glob("[a-z]*.py")), ids=lambda path: path.stem)
def test_every_page_says_research_use_only(page, path):
    app = AppTest.from_file(str(path), default_timeout=240).run()
    assert not app.exception
    assert "Research use only, not for diagnosis" in " ".join(caption.value for caption in app.caption)


@pytest.mark.shows(13, 18)
def test_the_sample_shows_maps_and_scores_at_once(checkpoints):
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=240)
    app.session_state.explore_drawn = True  # no browser draws here
    app.run()
    assert not app.exception
    assert not app.error
    assert "Research use only" in app.caption[0].value
    shown = json.loads(app.get("bidi_component")[0].proto.json)
    assert [layer["name"] for layer in shown["layers"]] == FIRST
    assert [button.proto.label for button in app.get("download_button")][-8:] == [
        "Voxel atlas (baseline), NIfTI", "Report, HTML", "All as one .zip", "Session, JSON", "Figure, PNG (300 dpi)",
        "Figure, SVG", "Findings, TSV", "Clusters, NIfTI",
    ]  # fmt: skip
    assert len(app.dataframe[0].value) == len(FIRST)


def test_the_maps_that_the_checkpoint_can_have_are_offered(page, tiny_checkpoint_folder, tmp_path, monkeypatch):
    patches = tmp_path / "brain-patches-2mm"
    patches.symlink_to(ROOT / "checkpoints" / patches.name)
    (tmp_path / "tiny").symlink_to(tiny_checkpoint_folder)
    monkeypatch.setenv("VAEAD_CHECKPOINTS", str(tmp_path))
    monkeypatch.setenv("VAEAD_SHIPPED", "off")
    app = quick(page(), "residual")
    assert app.selectbox(key="checkpoint").value == patches.name
    offered = set(app.multiselect(key="methods").options)
    assert offered == {kind.title for kind in scorers.map_scorers(Checkpoint.load(patches).model).values()}
    app.multiselect(key="methods").set_value(["patch_error", "residual"]).run()
    app.selectbox(key="checkpoint").set_value("tiny").run()
    assert not app.exception
    methods = app.multiselect(key="methods")
    assert offered - set(methods.options) == {"Patch reconstruction error"}
    assert "Segmenter of synthetic anomalies" in set(methods.options) - offered
    assert methods.value == ["residual"], "what was chosen stays where it still can"


def test_one_voxel_more_is_another_scan_with_other_maps(page, brain_volume):
    """Streamlit's own hash of a large array looks at a part of it only."""

    def digests(data) -> dict[str, str]:
        content = nib.Nifti1Image(data, brain_volume.affine).to_bytes()
        app.file_uploader[0].set_value(("scan.nii", content, "application/octet-stream")).run()
        assert not app.exception
        shown = json.loads(app.get("bidi_component")[0].proto.json)
        return {layer["name"]: layer["digest"] for layer in [shown["scan"], *shown["layers"]]}

    app = quick(page(), "residual", "voxel_atlas")
    changed = brain_volume.data.copy()
    changed[60, 60, 40] *= 1.3
    before, after = digests(brain_volume.data), digests(changed)
    assert before.keys() == after.keys()
    assert [name for name in before if before[name] == after[name]] == []


def test_no_method_is_one_sentence(page):
    app = page().run()
    app.multiselect(key="methods").set_value([]).run()
    assert not app.exception
    assert [error.value for error in app.error] == ["Choose at least one method in the sidebar."]


@pytest.mark.shows(15)
def test_a_bad_upload_is_one_sentence_not_a_traceback(page):
    app = page().run()
    app.file_uploader[0].set_value(("notes.nii", b"this is text, not a scan", "application/octet-stream")).run()
    assert not app.exception
    assert [error.value for error in app.error] == [
        "notes.nii is not a NIfTI file; vaead reads .nii and .nii.gz (NIfTI-1 or NIfTI-2)."
    ]
    assert not app.get("status"), "nothing is read any more"


@pytest.mark.shows(15)
def test_an_altered_checkpoint_is_said_on_the_page(page, tiny_checkpoint_folder, tmp_path, monkeypatch):
    copy = shutil.copytree(tiny_checkpoint_folder, tmp_path / "altered")
    (copy / "history.csv").write_text("x")
    monkeypatch.setenv("VAEAD_CHECKPOINTS", str(tmp_path))
    monkeypatch.setenv("VAEAD_SHIPPED", "off")
    app = AppTest.from_file(str(ROOT / "pages" / "explore.py"), default_timeout=240).run()
    assert not app.exception
    assert "history.csv of altered was altered" in app.error[0].value


@pytest.mark.parametrize(("name", "gain"), [("explore", 1.3), ("toy_lab", 1.4)])
def test_a_run_of_a_page_takes_one_turn_for_all_that_it_computes(checkpoints, brain_volume, monkeypatch, name, gain):
    """For a second one, whoever came meanwhile would go first."""
    app = quick(AppTest.from_file(str(ROOT / "app.py"), default_timeout=240), "residual", "voxel_atlas")
    app.switch_page(f"pages/{name}.py").run()
    turns, take = [], queue._Turn.take
    monkeypatch.setattr(queue._Turn, "take", lambda turn, quick: (turns.append(turn), take(turn, quick)))
    scan, truth = (
        scan_file(Volume(part.astype("f4"), brain_volume.affine), gain) for part in (brain_volume.data, brain_volume.mask)
    )
    app.session_state.kept_truth = Upload("truth.nii", truth, "a truth's digest")
    app.file_uploader[0].set_value(("own.nii", scan, "application/octet-stream")).run()  # no other test's, of any gain
    assert not app.exception
    assert not app.error
    assert len(turns) == 1


@pytest.mark.parametrize("name", ["explore", "toy_lab", "latent_space"])
def test_a_whole_head_is_extracted_and_its_outline_shown_until_its_owner_gives_a_mask(checkpoints, head, name):
    head, mask = head
    app = quick(AppTest.from_file(str(ROOT / "pages" / f"{name}.py"), default_timeout=240))
    app.file_uploader[0].set_value(("DOE.nii", scan_file(head), "application/octet-stream")).run()
    assert not app.exception
    assert not app.error
    assert any("This is a whole head: the brain was extracted first; check its outline." in one.value for one in app.warning)
    assert [one.proto.popover.label for one in app.sidebar.get("popover")] == ["Outline of the brain"]
    assert "Networks found the brain in this scan" in app.sidebar.caption[0].value
    drawn = scan_file(Volume(mask.astype("f4"), head.affine))
    app.file_uploader[2].set_value(("mask.nii", drawn, "application/octet-stream")).run()
    assert not app.exception
    assert not app.error
    assert any("The brain is that of the given mask." in one.value for one in app.warning)
    assert app.sidebar.caption[0].value == "The brain is that of your mask."


def test_a_mask_that_marks_no_brain_is_one_sentence_and_goes_with_its_scan(page, brain_volume):
    app = quick(page())
    assert len(app.file_uploader) == 1, "samples have no mask"
    app.file_uploader[0].set_value(("one.nii", scan_file(brain_volume), "application/octet-stream")).run()
    nothing = scan_file(Volume(0 * brain_volume.data, brain_volume.affine))
    app.file_uploader[2].set_value(("mask.nii", nothing, "application/octet-stream")).run()
    assert not app.exception
    assert [error.value for error in app.error] == ["mask.nii marks no brain; give a mask, above 0 in the brain and 0 outside."]
    app.file_uploader[0].set_value(("other.nii", scan_file(brain_volume, 2), "application/octet-stream")).run()
    assert not app.error
    assert app.session_state.kept_mask is None


@pytest.mark.shows(15)
def test_a_scan_that_does_not_lie_on_the_atlas_is_shown_with_the_atlass_outline(page, brain_volume):
    affine = brain_volume.affine @ np.diag([0.65, 0.65, 0.65, 1])
    app = quick(page())
    content = nib.Nifti1Image(brain_volume.data, affine).to_bytes()
    app.file_uploader[0].set_value(("small.nii", content, "application/octet-stream")).run()
    assert not app.exception
    assert "The brain in small.nii is 1.5 times smaller than an adult's" in app.error[0].value
    assert len(app.get("image")) == 1
    assert "it should follow the brain's edge" in app.caption[-1].value
    assert not app.get("bidi_component")
