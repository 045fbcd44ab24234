"""The tour on Explore, a script run after the other: where its stops go, what a reload keeps, whose figures it tells."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.explore import tour
from vaead_core.experiments import records
from vaead_core.experiments.records import Measurement

ROOT = Path(__file__).resolve().parents[1]
MAPS = ["voxel_atlas", "residual"]


def at_stop(number: int, **address: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=240)
    app.session_state.methods = MAPS
    for name, value in {"demo": str(number), **address}.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def test_a_stop_goes_to_its_lesion_and_again_when_its_scan_is_chosen_again(checkpoints):
    app = at_stop(2)
    lesion = app.session_state.explore_start
    assert lesion is not None
    app.selectbox(key="sample").set_value("MS patient").run()
    assert app.session_state.explore_start is None, "another scan is where it is"
    app.selectbox(key="sample").set_value(tour.STOPS[1].sample).run()
    assert app.session_state.explore_start == lesion


def test_a_reload_at_a_stop_keeps_the_crosshair_of_the_address(checkpoints):
    assert at_stop(2, at="41.58.46").session_state.explore_start == (41, 58, 46)


@pytest.mark.parametrize("named", ["0", "6", "abc", "\u2460"])
def test_an_address_that_names_no_stop_begins_no_tour(checkpoints, named):
    app = at_stop(named)
    assert app.session_state.tour_stop is None
    assert "demo" not in app.query_params


def test_recorded_figures_are_said_to_be_of_their_model_and_the_tour_of_its_own(checkpoints, tmp_path, monkeypatch):
    monkeypatch.setenv("VAEAD_RESULTS", str(tmp_path))
    about = "segmentation", tour.METHOD, "", True, "glioma", records.ALL
    rows = records.table("lesions", [Measurement(*about, "a", "other", 0, 0.25, 0.5, 0.02)])
    path = records.write(tmp_path, "lesions", rows, {})
    told = " ".join(one.value for one in (*at_stop(3).markdown, *at_stop(3).caption)).replace("\\", "")
    assert "Recorded with other: average precision of the logistic fusion of maps 0.25, where chance is 0.02" in told
    assert "The tour tells of brain-slices-2mm; tiny is shown now." in told
    path.write_text(path.read_text() * 2)
    assert "Recorded with" not in " ".join(one.value for one in at_stop(3).markdown)
