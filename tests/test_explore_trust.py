"""What Explore says of how far its maps can be trusted, by the tables that are recorded, a script run after the other."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from vaead_core.experiments import records
from vaead_core.experiments.records import Measurement

ROOT = Path(__file__).resolve().parents[1]
MAPS = {"voxel_atlas": "Voxel atlas (baseline)", "residual": "Residual"}
NOT_RECORDED = "was not recorded with this checkpoint; what each is for, below, is said of brain-slices-2mm."


@pytest.fixture
def results(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("VAEAD_RESULTS", str(tmp_path))
    return tmp_path


def record(folder: Path, digest: str, subjects: str, also: str = "") -> None:
    """A table of painted masses that holds one map; also: another checkpoint whose AP is higher."""
    about = "segmentation", "voxel_atlas", "", True, "mass", "20% darker"
    rows = [
        Measurement(*about, subject, name, 0, ap + step / 10, 0.5, 0.01)
        for name, ap in {"tiny": 0.3, also: 0.8}.items()
        for step, subject in enumerate(subjects if name else "")
    ]
    records.write(folder, "painted", records.table("painted", rows), {"checkpoints": {"tiny": digest, "other": "0"}})


def drawn(checkpoints) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=240)
    app.session_state.explore_drawn = True
    app.session_state.methods = list(MAPS)
    app.run()
    assert not app.exception
    return app


def lines(app: AppTest) -> pd.DataFrame:
    [table] = [one.value for one in app.table if "Half found here from" in one.value]
    return table.set_index("Method")


def said(app: AppTest) -> str:
    return " ".join(one.value for one in (*app.caption, *app.warning)).replace("\\", "")


def test_a_map_has_its_recorded_ap_with_interval_and_chance_and_another_a_dash(checkpoints, results, tiny_checkpoint):
    record(results, tiny_checkpoint.digest, "abcd", also="other")
    app = drawn(checkpoints)
    table = lines(app)
    assert table["Mass with expansion"].str.replace("\u2060", "").tolist() == ["0.45 (0.35–0.55)", "–"]
    assert table.index.tolist() == list(MAPS.values())
    assert table["Half found here from"].unique().tolist() == ["not measured"]
    assert "chance, in their order: 0.010." in said(app)


def test_of_one_subject_there_is_no_interval(checkpoints, results, tiny_checkpoint):
    record(results, tiny_checkpoint.digest, "a")
    assert lines(drawn(checkpoints))["Mass with expansion"].tolist() == ["0.30", "–"]


@pytest.mark.parametrize("digest", [None, "of another"])
def test_without_a_table_of_this_checkpoint_it_says_so_and_shows_the_rest(checkpoints, results, digest):
    if digest:
        record(results, digest, "abcd")
    app = drawn(checkpoints)
    assert lines(app).columns.tolist() == ["Percentile among healthy scans", "Half found here from"]
    assert NOT_RECORDED in said(app)


def test_a_table_that_its_record_does_not_tell_of_is_said_and_the_page_goes_on(checkpoints, results, tiny_checkpoint):
    record(results, tiny_checkpoint.digest, "abcd")
    with (results / "painted.csv").open("a") as file:
        file.write((results / "painted.csv").read_text().splitlines()[-1] + "\n")
    app = drawn(checkpoints)
    assert "The table painted is not the one that painted.json tells of" in said(app)
    assert NOT_RECORDED in said(app)
    assert "Detection limits of this scan" in [one.value for one in app.subheader]
