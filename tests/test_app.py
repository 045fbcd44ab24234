import json
import shutil
from pathlib import Path

import nibabel as nib
import pytest
from streamlit.testing.v1 import AppTest

from tests.support.contents import FIRST
from vaead_core import scorers
from vaead_core.checkpoints.checkpoint import Checkpoint

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def page(checkpoints):
    return lambda: AppTest.from_file(str(ROOT / "pages" / "explore.py"), default_timeout=240)


@pytest.mark.shows(16)
@pytest.mark.parametrize("path", sorted((ROOT / "pages").glob("[a-z]*.py")), ids=lambda path: path.stem)
def test_every_page_says_research_use_only(page, path):
    app = AppTest.from_file(str(path), default_timeout=240).run()
    assert not app.exception
    assert "Research use only, not for diagnosis" in " ".join(caption.value for caption in app.caption)


@pytest.mark.shows(13, 18)
def test_the_sample_shows_maps_and_scores_at_once(page):
    app = page()
    app.session_state.explore_drawn = True  # no browser draws here
    app.run()
    assert not app.exception
    assert not app.error
    assert "Research use only" in app.caption[0].value
    shown = json.loads(app.get("bidi_component")[0].proto.json)
    assert [layer["name"] for layer in shown["layers"]] == FIRST
    assert [button.proto.label for button in app.get("download_button")][-3:] == [
        "Voxel atlas (baseline), NIfTI", "This slice, PNG", "Report, HTML",
    ]  # fmt: skip
    assert len(app.dataframe[0].value) == len(FIRST)


def test_the_maps_that_the_checkpoint_can_have_are_offered(page, tiny_checkpoint_folder, tmp_path, monkeypatch):
    patches = tmp_path / "brain-patches-2mm"
    patches.symlink_to(ROOT / "checkpoints" / patches.name)
    (tmp_path / "tiny").symlink_to(tiny_checkpoint_folder)
    monkeypatch.setenv("VAEAD_CHECKPOINTS", str(tmp_path))
    monkeypatch.setenv("VAEAD_SHIPPED", "off")
    app = page().run()
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

    app = page().run()
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


@pytest.mark.shows(15)
def test_an_altered_checkpoint_is_said_on_the_page(page, tiny_checkpoint_folder, tmp_path, monkeypatch):
    copy = shutil.copytree(tiny_checkpoint_folder, tmp_path / "altered")
    (copy / "history.csv").write_text("x")
    monkeypatch.setenv("VAEAD_CHECKPOINTS", str(tmp_path))
    monkeypatch.setenv("VAEAD_SHIPPED", "off")
    app = AppTest.from_file(str(ROOT / "pages" / "explore.py"), default_timeout=240).run()
    assert not app.exception
    assert "history.csv of altered was altered" in app.error[0].value
