"""The benchmark page: what recorded tables become, and a run of one's own, on the page and in a browser."""

import io
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from tests.support.scans import development_data
from vaead_core.__main__ import main
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.cohorts import fashion_mnist
from vaead_core.errors import InputError
from vaead_core.experiments import records
from vaead_core.experiments.catalogue import parts_of
from vaead_core.experiments.fashion import RECONSTRUCTION, ranked
from vaead_core.experiments.records import ALL, Measurement
from vaead_core.experiments.report.method_table import by_combination, methods, scores_of, size_by_intensity
from vaead_core.experiments.report.result_figures import (
    beside_figure,
    grid_figure,
    methods_figure,
    ranked_picture,
    winners_figure,
)
from vaead_core.experiments.report.thesis import CLAIMS
from vaead_core.experiments.report.thesis_comparison import beside, thesis_table
from vaead_core.experiments.report.verdicts import READINGS
from vaead_core.experiments.report.winners import QUESTIONS, table_of, winners
from vaead_core.experiments.request import Request
from vaead_core.experiments.runner import Runner, share_done
from vaead_core.scorers import map_scorers

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "results"


def measurement(subject, combination, ap, scorer="residual", checkpoint="model", seed=0, **more):
    return Measurement("segmentation", scorer, "", True, "circles", combination, subject, checkpoint, seed, ap, 0.5, 0.1, **more)


@pytest.fixture
def rows():
    found = [measurement("a", "5 mm dark", 0.2), measurement("b", "5 mm dark", 0.4), measurement("a", "5 mm bright", 0.6)]
    return records.table("slices", [*found, measurement("a", "5 mm dark", 0.9, "voxel_atlas")])


# Tables


def test_methods_stand_by_falling_ap_with_interval_and_chance(rows):
    table = methods(rows, "segmentation", "circles", "5 mm dark")
    assert table["Method"].tolist() == ["Voxel atlas (baseline)", "Residual"]
    assert table["AP"].tolist() == pytest.approx([0.9, 0.3])
    assert table.loc[1, ["2.5 %", "97.5 %", "Chance", "Subjects"]].tolist() == pytest.approx([0.2, 0.4, 0.1, 2])
    assert "Best Dice" not in table, "a column without a value is left out"


def test_models_are_lines_of_their_own_but_trainings_of_one_are_not():
    def of(seeds):
        found = [measurement("a", "x", ap, checkpoint=name, seed=s) for ap, name, s in zip((0.2, 0.4), "mn", seeds, strict=True)]
        return methods(records.table("slices", found), "segmentation", "circles", "x")

    assert of((0, 0))[["Method", "Model"]].to_numpy().tolist() == [["Residual", "n"], ["Residual", "m"]]
    one = of((0, 1))
    assert "Model" not in one
    assert one["AP"].tolist() == pytest.approx([0.3])


def test_seconds_stand_beside_the_methods_whose_seconds_are_known(rows):
    table = methods(rows, "segmentation", "circles", "5 mm dark", {"residual": 0.25})
    assert table["Seconds"].fillna(-1).tolist() == [-1, 0.25]
    assert "Seconds" not in methods(rows, "segmentation", "circles", "5 mm dark")


def test_size_by_intensity_puts_each_combination_in_its_cell_and_leaves_the_rest_empty(rows):
    grid = size_by_intensity(rows[rows["scorer"] == "residual"])["circles"]
    assert grid.loc["5 mm", "dark"] == pytest.approx(0.3)
    assert grid.loc["5 mm", "bright"] == pytest.approx(0.6)
    assert int(grid.notna().sum().sum()) == 2
    assert grid.shape == (4, 5)


def test_scores_are_named_with_the_best_first(rows):
    assert list(scores_of(rows, "segmentation")) == ["Voxel atlas (baseline)", "Residual"]
    assert by_combination(rows, "segmentation", "circles").index.tolist() == ["Voxel atlas (baseline)", "Residual"]


def test_other_csv_files_are_no_recorded_tables(rows, tmp_path):
    records.write(tmp_path, "slices", rows, {})
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    assert records.recorded(tmp_path) == ["slices"]


def test_every_claim_of_the_thesis_has_ours_beside_it_in_the_recorded_tables():
    tables = {name: records.read(RESULTS, name) for name in records.recorded(RESULTS)}
    pairs = [beside(claim, tables) for claim in CLAIMS if claim.experiment in tables]
    assert len(pairs) == len(CLAIMS)
    assert all(one.ours.low <= one.ours.ap <= one.ours.high for one in pairs)
    literally = [one for one in pairs if one.literal]
    assert {one.claim.experiment for one in literally} == {"slices"}
    assert len(literally) == sum(claim.experiment == "slices" for claim in CLAIMS)
    assert all(one.literal.low <= one.literal.ap <= one.literal.high for one in literally)
    shown = thesis_table(pairs)
    assert shown["Literally"].notna().sum() == len(literally)
    assert shown["Chance literally"].dropna().between(0, 0.5).all()
    assert "Literally" not in thesis_table([one for one in pairs if not one.literal])
    assert "holds here" in READINGS["thesis"](tables)
    figure = beside_figure(pairs)
    assert [trace["name"] for trace in figure["data"]] == ["Ours, 95 % interval", "Thesis", "Chance (prevalence)"]
    assert figure["data"][1]["x"] == [claim.value for claim in CLAIMS]


def test_figures_show_the_numbers_of_the_table(rows):
    table = methods(rows, "segmentation", "circles", "5 mm dark")
    dots, chance = methods_figure(table)["data"]
    assert dots["x"] == pytest.approx([0.9, 0.3])
    assert dots["error_x"]["array"] == pytest.approx([0, 0.1])
    assert chance["x"] == pytest.approx([0.1, 0.1])
    grid = pd.DataFrame([[0.25, np.nan]], ["5 mm"], ["dark", "grey"])
    assert grid_figure(grid)["data"][0]["z"] == [[0.25, None]]
    assert grid_figure(grid)["data"][0]["text"] == [["0.25", ""]]


def test_ranked_images_are_framed_by_their_class():
    sheet = ranked_picture(np.full((3, 4, 4), 200, np.uint8), np.array([True, False, False]), columns=2)
    assert sheet.shape == (3 * 22, 3 * 22, 3)
    assert sheet[0, 0].tolist() == [255, 140, 60]
    assert sheet[0, 3 * 14].tolist() == [76, 155, 232]
    assert sheet[3 * 3, 3 * 3].tolist() == [200] * 3
    assert sheet[-1, -1].tolist() == [0] * 3, "no image, no frame"


def test_ranked_t_shirts_repeat_the_recorded_average_precision():
    development_data("fashion_mnist")
    checkpoint = Checkpoint.load(ROOT / "checkpoints" / "fashion-tshirt")
    found = ranked(checkpoint, fashion_mnist.load_fashion_mnist(), "shirt", RECONSTRUCTION)
    table = records.read(RESULTS, "fashion")
    mine = table[(table["scorer"] == RECONSTRUCTION) & (table["dataset"] == "balanced") & (table["combination"] == "shirt")]
    assert found.curve.detection.ap == pytest.approx(mine[mine["checkpoint"] == checkpoint.name]["ap"].iloc[0], abs=1e-3)
    assert (np.diff(found.scores) <= 0).all()
    assert found[:10].scores.tolist() == found.scores[:10].tolist()


# A smaller experiment


def test_a_smaller_experiment_measures_what_it_names(tiny_checkpoint_folder):
    request = Request((tiny_checkpoint_folder,), toys=("tumour",), scores=("residual", "knn"), subjects=1)
    _, [part] = parts_of("slices", request)
    assert part.dataset == "tumour"
    assert {name for name, _ in part.maps} == {"residual"}
    assert {name for name, _ in part.detectors} == {"knn"}


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"toys": ("cube",)}, "There is no toy cube; choose among circles"),
        ({"scores": ("guess",)}, "There is no score guess; choose among"),
        ({"subjects": 0}, "An experiment needs 1 subject or more, not 0."),
    ],
)
def test_a_smaller_experiment_that_cannot_be_is_one_sentence(tiny_checkpoint_folder, wrong, sentence):
    with pytest.raises(InputError, match=sentence):
        parts_of("slices", Request((tiny_checkpoint_folder,), **wrong))


def test_progress_is_a_line_for_each_finished_part_where_there_is_no_terminal(tmp_path, monkeypatch):
    class Part:
        def measure(self):
            return []

    monkeypatch.setattr("vaead_core.experiments.runner._key", lambda part, identity: str(id(part)))
    monkeypatch.setattr("sys.stderr", told := io.StringIO())
    Runner(tmp_path).run([Part(), Part()], lambda part: "")
    lines = told.getvalue().splitlines()
    assert lines == ["0 of 2 parts", "1 of 2 parts", "2 of 2 parts"]
    assert [share_done(line) for line in lines] == [0, 0.5, 1]
    assert share_done("2 of 2 things") is None


def test_the_record_holds_the_command_of_a_smaller_experiment(tiny_checkpoint_folder, tmp_path):
    command = ["evaluate", "slices", "--checkpoint", str(tiny_checkpoint_folder), "--out", str(tmp_path), "--toys", "tumour"]
    assert main([*command, "--scores", "residual", "--most-subjects", "1"]) == 0
    about = (tmp_path / "slices.json").read_text()
    assert "--toys tumour --scores residual --most-subjects 1" in about
    assert set(records.read(tmp_path, "slices")["dataset"]) == {"tumour"}


# The page


@pytest.fixture
def app(checkpoints):
    app = AppTest.from_file(str(ROOT / "pages" / "benchmark.py"), default_timeout=240).run()
    assert not app.exception
    return app


def look_at(app: AppTest, view: str) -> None:
    app.get("button_group")[0].set_value(view).run()
    assert not app.exception


@pytest.mark.shows(24)
def test_the_recorded_slices_are_shown_at_once_with_every_map(app):
    assert not app.error
    assert "Research use only" in app.caption[0].value
    shown = app.dataframe[0].value
    assert shown["AP"].is_monotonic_decreasing
    assert "Chance" in shown
    assert shown["Seconds"].between(0, 60).all()
    assert "python -m vaead_core evaluate slices" in app.caption[2].value.replace("\\", "")
    assert [button.proto.label for button in app.get("download_button")] == ["This table as CSV", "All rows as CSV"]


@pytest.mark.parametrize("name", records.recorded(RESULTS))
def test_every_recorded_experiment_has_a_table_and_a_heat_map(app, name):
    app.selectbox(key="experiment").set_value(name).run()
    assert not app.exception
    assert not app.error
    assert len(app.dataframe[0].value)
    look_at(app, "Size and intensity")
    assert not app.error
    assert app.get("plotly_chart")


def test_a_dataset_that_another_experiment_lacks_gives_way(app):
    app.selectbox(key="dataset").set_value("tumour").run()
    app.selectbox(key="experiment").set_value("fashion").run()
    assert not app.exception
    assert app.selectbox(key="dataset").value == "balanced"
    assert app.selectbox(key="combination").value == ALL


def test_the_thesis_stands_beside_ours(app):
    look_at(app, "Thesis")
    assert len(app.dataframe[0].value) == len([claim for claim in CLAIMS if claim.experiment == "fashion"])
    app.selectbox(key="thesis_experiment").set_value("slices").run()
    assert not app.exception


def test_the_scanners_view_shows_what_a_few_healthy_scans_of_a_site_are_worth(app):
    look_at(app, "Scanners")
    assert not app.error
    [table] = [one.value for one in app.dataframe if "none" in one.value]
    assert table["5"].between(3, 7).all()
    assert len(app.get("plotly_chart")) == 1
    app.selectbox(key="site_method").set_value("residual").run()
    assert not app.exception


def test_curves_are_drawn_on_the_sample_and_say_so(app):
    look_at(app, "Curves")
    assert not app.error
    assert len([one for one in app.caption if ", chance 0." in one.value]) == 4
    assert "On the synthetic sample, not on the test brains" in app.caption[-1].value


def test_without_tables_the_page_says_how_to_record_one(checkpoints, tmp_path, monkeypatch):
    monkeypatch.setenv("VAEAD_RESULTS", str(tmp_path))
    app = AppTest.from_file(str(ROOT / "pages" / "benchmark.py"), default_timeout=240).run()
    assert not app.exception
    assert "run one under Your own" in app.info[0].value


def test_a_table_of_a_few_rows_is_shown_and_what_its_text_lacks_is_said(checkpoints, tmp_path, monkeypatch):
    rows = records.read(RESULTS, "slices")
    few = rows[(rows["scorer"] == "residual") & (rows["task"] == "segmentation")].head(20)
    records.write(tmp_path, "slices", few, records.about_of(RESULTS, "slices"))
    monkeypatch.setenv("VAEAD_RESULTS", str(tmp_path))
    app = AppTest.from_file(str(ROOT / "pages" / "benchmark.py"), default_timeout=240).run()
    assert not app.exception
    assert not app.error
    assert "The recorded tables lack rows that the text about slices is made of" in app.info[-1].value


def test_without_fashion_mnist_nothing_is_downloaded_before_a_click(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "checkpoints" / "fashion-tshirt", tmp_path / "fashion-tshirt")
    monkeypatch.setenv("VAEAD_CHECKPOINTS", str(tmp_path))
    monkeypatch.setenv("VAEAD_SHIPPED", "off")
    monkeypatch.setattr(fashion_mnist, "find_data", lambda name: None)
    monkeypatch.setattr(fashion_mnist, "CACHE", tmp_path / "cache")
    asked = []

    def refuse(url, partial, progress):
        asked.append(url)
        raise OSError("no network")

    monkeypatch.setattr(fashion_mnist, "_download", refuse)
    app = AppTest.from_file(str(ROOT / "pages" / "benchmark.py"), default_timeout=240).run()
    look_at(app, "Fashion images")
    assert "Fashion-MNIST is not on this machine" in app.info[0].value
    assert asked == []
    app.button(key="fashion_download").click().run()
    assert not app.exception
    assert len(asked) == 1
    assert "could not be downloaded; fetch it elsewhere" in app.error[0].value


def test_without_a_fashion_model_the_page_says_how_to_train_one(app):
    look_at(app, "Fashion images")
    assert "upload one on the Checkpoints page" in app.info[0].value


def test_an_experiment_without_scores_cannot_be_run(app):
    look_at(app, "Your own")
    assert not app.button(key="own_run").disabled
    app.multiselect(key="own_scores_slices").set_value([]).run()
    assert app.button(key="own_run").disabled


# Which method


def of_mass(scorer, ap):
    """In four subjects, 0.015 higher in the mean."""
    about = "segmentation", scorer, "", True, "mass", "20% darker"
    return [Measurement(*about, subject, "model", 0, ap + step / 100, 0.5, 0.01) for step, subject in enumerate("abcd")]


def painted_tables(validation, test):
    return [
        records.table("painted", [row for name, ap in aps.items() for row in of_mass(name, ap)]) for aps in (validation, test)
    ]


def test_a_map_is_chosen_on_validation_and_its_figures_are_of_test_subjects():
    tables = painted_tables({"residual": 0.5, "voxel_atlas": 0.2}, {"residual": 0.3, "voxel_atlas": 0.4, "asymmetry": 0.1})
    (one,) = winners(QUESTIONS[0], *tables)
    assert (one.line, one.column, one.method) == ("Mass with expansion, radius 14 mm", "20% darker", "Residual")
    assert one.found.ap == pytest.approx(0.315)
    assert one.found.chance == pytest.approx(0.01)
    assert one.above_chance
    assert one.others == ("Voxel atlas (baseline) 0.415", "Left-right asymmetry 0.115")
    assert winners(QUESTIONS[2], *tables) == [], "no such toy is recorded"


def test_maps_of_one_figure_are_named_in_the_scorers_order():
    equal = {"asymmetry": 0.4, "voxel_atlas": 0.4, "signed_residual": 0.4, "residual": 0.4}
    (one,) = winners(QUESTIONS[0], *painted_tables({"residual": 0.5}, equal))
    titles = [kind.title for name, kind in map_scorers().items() if name in equal and name != "residual"]
    assert [told.rpartition(" ")[0] for told in one.others] == titles


def test_a_map_whose_interval_holds_chance_is_named_in_no_cell():
    (one,) = winners(QUESTIONS[0], *painted_tables({"residual": 0.5}, {"residual": 0.0}))
    assert not one.above_chance
    (text,) = winners_figure([one])["data"][0]["text"][0]
    assert text.startswith("none above chance<br>")


def test_other_maps_of_a_cell_may_be_better_on_test_and_are_not_said_to_come_after_it():
    (one,) = winners(QUESTIONS[0], *painted_tables({"residual": 0.5, "voxel_atlas": 0.2}, {"residual": 0.3, "voxel_atlas": 0.4}))
    (told,) = winners_figure([one])["data"][0]["hovertext"][0]
    assert told.endswith("best others on test:<br>Voxel atlas (baseline) 0.415")


def test_a_map_without_a_value_is_neither_chosen_nor_named():
    nothing = float("nan")
    tables = painted_tables({"asymmetry": nothing, "residual": 0.5}, {"asymmetry": 0.9, "residual": 0.3, "voxel_atlas": nothing})
    (one,) = winners(QUESTIONS[0], *tables)
    assert (one.method, one.others) == ("Residual", ("Left-right asymmetry 0.915",))


def test_of_one_subject_a_cell_has_no_interval():
    tables = [records.table("painted", of_mass("residual", 0.3)[:1])] * 2
    (one,) = winners(QUESTIONS[0], *tables)
    (text,) = winners_figure([one])["data"][0]["text"][0]
    assert text == "Residual<br><b>0.30</b><br>chance 0.010"
    assert one.above_chance


def test_each_cell_of_the_recorded_tables_has_its_map_interval_and_chance():
    for question in QUESTIONS:
        tables = [records.read(RESULTS, f"{question.experiment}{part}") for part in ("-validation", "")]
        found = winners(question, *tables)
        assert {(one.line, one.column) for one in found} == question.places.keys()
        for one in found:
            assert one.found.low <= one.found.ap <= one.found.high
            assert 0 < one.found.chance < 0.1
        drawn = winners_figure(found)["data"][0]
        assert max(text.count("<br>") for line in drawn["text"] for text in line) <= 5, "more lines leave the cell"
        assert sum(text != "" for line in drawn["text"] for text in line) == len(found)
        assert table_of(found)["Method"].tolist() == [one.method for one in found]
