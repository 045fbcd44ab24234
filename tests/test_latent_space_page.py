"""The latent space page: what a script run shows, and what a reader sees who clicks in a browser."""

import json
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from vaead_core import detectors

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def app(checkpoints):
    app = AppTest.from_file(str(ROOT / "pages" / "latent_space.py"), default_timeout=240).run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    """The sentence about the chosen slice."""
    return next(one.value for one in app.markdown if "percentile" in one.value)


def test_the_sample_lies_among_the_healthy_slices_at_once(app):
    assert not app.error
    assert "Research use only" in app.caption[0].value
    assert len(app.get("plotly_chart")) == 2
    assert "KNN score" in said(app)
    captions = [picture.captions for picture in app.get("imgs")] if app.get("imgs") else []
    assert [one.value for one in app.subheader][:2] == ["Healthy latents", "Outlier score by KNN"]
    assert app.slider(key="latent_slice").value > 0
    assert captions == [] or len(captions) == 10


def test_all_17_detectors_are_offered_with_their_help(app):
    offered = app.selectbox(key="latent_detector")
    assert len(offered.options) == len(detectors.DETECTORS) == 17
    assert offered.help == detectors.help_text("knn")
    before = said(app)
    offered.set_value("hbos").run()
    assert not app.exception
    assert "HBOS score" in said(app)
    assert said(app) != before
    assert app.selectbox(key="latent_detector").help == detectors.help_text("hbos")


def test_another_slice_has_other_scores_and_stays_chosen_with_another_detector(app):
    app.slider(key="latent_slice").set_value(30).run()
    assert "Slice 30 and its nearest healthy slices" in [one.value for one in app.subheader]
    app.selectbox(key="latent_detector").set_value("sampling").run()
    assert "Slice 30 and its nearest healthy slices" in [one.value for one in app.subheader]


def test_comparing_at_its_place_changes_the_score(app):
    before = said(app)
    app.selectbox(key="latent_scale").set_value("healthy slices at its place").run()
    assert not app.exception
    assert said(app) != before


def test_healthy_slices_take_the_colours_that_the_checkpoint_holds(app):
    assert app.selectbox(key="latent_colour").options == ["Slice position", "Subject", "Age"]
    app.selectbox(key="latent_colour").set_value("Age").run()
    assert not app.exception


def test_a_colour_that_another_checkpoint_lacks_gives_way(checkpoints, tmp_path, monkeypatch, tiny_checkpoint_folder):
    other = shutil.copytree(ROOT / "checkpoints" / "brain-patches-2mm", tmp_path / "brain-patches-2mm") / "checkpoint.json"
    described = json.loads(other.read_text())
    del described["data"]["ages"]
    other.write_text(json.dumps(described))
    (tmp_path / "tiny").symlink_to(tiny_checkpoint_folder)
    monkeypatch.setenv("VAEAD_CHECKPOINTS", str(tmp_path))
    monkeypatch.setenv("VAEAD_SHIPPED", "off")
    app = AppTest.from_file(str(ROOT / "pages" / "latent_space.py"), default_timeout=240).run()
    app.selectbox(key="checkpoint").set_value("tiny").run()
    app.selectbox(key="latent_colour").set_value("Age").run()
    app.selectbox(key="checkpoint").set_value("brain-patches-2mm").run()
    assert not app.exception
    assert app.selectbox(key="latent_colour").value == "Slice position"


@pytest.mark.parametrize(
    ("direction", "control"),
    [
        ("Component 2", "latent_deviations"),
        ("The nearest healthy slice", "latent_share"),
        ("Another slice of this scan", "latent_other"),
    ],
)
def test_every_direction_has_its_slider(app, direction, control):
    app.selectbox(key="latent_direction").set_value(direction).run()
    assert not app.exception
    assert app.slider(key=control)


def test_a_detector_that_needs_more_latents_says_so_in_one_sentence(app, monkeypatch):
    def few(*_, **__):
        from vaead_core.errors import InputError

        raise InputError("KNN needs at least 6 healthy latents of 16 numbers; there are 5.")

    monkeypatch.setattr("vaead_core.pipeline.latent_space.healthy_outlier_scores", few)
    app.selectbox(key="latent_detector").set_value("loda").run()
    assert not app.exception
    assert [one.value for one in app.error] == ["KNN needs at least 6 healthy latents of 16 numbers; there are 5."]


# In a browser
