"""The report from invented tables: what it looks up, what it chooses by, when a verdict turns."""

import re
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import pytest

from vaead_core import detectors
from vaead_core.__main__ import main
from vaead_core.anomalies.toys.datasets import DATASETS
from vaead_core.cohorts.fashion_mnist import CLASSES
from vaead_core.errors import InputError
from vaead_core.experiments import readout_table, records
from vaead_core.experiments.readout import HEALTHY, RATES, SIZES, THRESHOLDS, Reading
from vaead_core.experiments.records import ALL, Measurement
from vaead_core.experiments.report import charts
from vaead_core.experiments.report.page import write_report
from vaead_core.experiments.report.tables import best_detector, chosen_detector, label
from vaead_core.experiments.report.thesis import CLAIMS, TOYS
from vaead_core.experiments.report.verdicts import READINGS, reading

ROOT = Path(__file__).resolve().parents[1]
MAPS = ("residual", "activation", "normalised_residual", "voxel_atlas")
POSITION, WHOLE = "standardise=position", "standardise=global"


def measurement(task, scorer, dataset, combination, ap, settings="", masked=True, subject="a"):
    chance = 0.5 if task == "detection" else 0.04
    return Measurement(task, scorer, settings, masked, dataset, combination, subject, "model", 0, ap, 0.6, chance)


def toy_rows(experiment, maps, detector_ap, grey=0.2):
    """Two subjects; the first map is the worst, the last the best; KNN by position is above the other detectors."""
    for subject, shift in (("a", 0.0), ("b", 0.02)):
        for toy in TOYS:
            for combination in DATASETS[toy]:
                at = {"dataset": toy, "combination": combination.name, "subject": subject}
                for rank, scorer in enumerate(maps):
                    for masked in (True, False):
                        ap = 0.3 + 0.1 * rank + shift - (0 if masked else 0.2)
                        yield measurement("segmentation", scorer, **at, ap=ap, masked=masked)
                if experiment == "slices":
                    faint = grey if combination.name.endswith("mm grey") else 0.0
                    yield measurement("detection", "reconstruction_mse", **at, ap=0.8 + shift - faint)
                    yield measurement("detection", "residual", **at, ap=0.85 + shift, settings="aggregate=top2")
                    for name in detectors.DETECTORS:
                        for settings in (WHOLE, POSITION):
                            better = 0.05 if (name, settings) == ("knn", POSITION) else 0.0
                            yield measurement("detection", name, **at, ap=detector_ap + better + shift, settings=settings)


def fashion_rows():
    """KNN is best by the deformed t-shirts, LOF on the test classes; both beat reconstruction."""
    for protocol in ("balanced", "full", "choosing"):
        for name in CLASSES[1:]:
            yield measurement("detection", "reconstruction_mse", protocol, name, 0.7)
            for detector in detectors.DETECTORS:
                favoured = "knn" if protocol == "choosing" else "lof"
                ap = 0.85 if detector == favoured else 0.8
                yield measurement("detection", detector, protocol, name, ap, WHOLE)


def readings():
    """Two subjects; the first map marks 4 % of a healthy brain at its 5 % threshold, each next 0.5 % more, and finds more."""
    for subject in ("a", "b"):
        for rank, scorer in enumerate(MAPS):
            about = {"scorer": scorer, "combination": ALL, "subject": subject, "checkpoint": "model", "seed": 0}
            for rate in RATES:
                marked = about | {"dataset": HEALTHY, "size": ALL, "threshold": rate}
                yield Reading("marked", value=(0.8 + 0.1 * rank) * rate * 1000, count=1000, **marked)
            for rate in THRESHOLDS:
                at = about | {"threshold": rate}
                yield Reading("false_positives", value=10 * (rank + 1), count=1, dataset=HEALTHY, size=ALL, **at)
                yield Reading("dice", value=0.1 * rank, count=1, twin=0.01, dataset="mass", size=ALL, **at)
                for size in SIZES:
                    yield Reading("sensitivity", value=rank, count=4, twin=0, dataset="mass", size=size, **at)


@pytest.fixture
def tables():
    return {name: rows.copy() for name, rows in invented().items()}


@lru_cache(maxsize=1)
def invented():
    return {
        "fashion": records.table("fashion", list(fashion_rows())),
        "slices": records.table("slices", list(toy_rows("slices", MAPS, 0.6))),
        "slices-validation": records.table("slices", list(toy_rows("slices", MAPS, 0.5))),
        "patches": records.table("patches", list(toy_rows("patches", ("patch_error", *MAPS), 0.6))),
        "background": records.table("background", list(toy_rows("background", MAPS, 0.6))),
        "entropy": records.table("entropy", list(toy_rows("entropy", MAPS, 0.6))),
        "painted": records.table("painted", [measurement("segmentation", s, "mass", "20 % darker", 0.3) for s in MAPS]),
        "painted-validation": records.table(
            "painted", [measurement("segmentation", s, "mass", "20 % darker", 0.1 * n) for n, s in enumerate(MAPS)]
        ),
        "readout": readout_table.table("readout", list(readings())),
        "lesions": records.table("lesions", [measurement("segmentation", s, "MS", "all voxels", 0.05) for s in MAPS]),
    }


@pytest.fixture
def folder(tables, tmp_path):
    return recorded(tables, tmp_path)


@pytest.fixture(scope="module")
def reported(tmp_path_factory):
    folder = recorded(invented(), tmp_path_factory.mktemp("results"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(charts, "DPI", 20)  # nobody looks at the figures, which take most of the time
        write_report(folder, data="synthetic:4")
    return folder


def recorded(tables, folder):
    for name, rows in tables.items():
        about = {"command": f"python -m vaead_core evaluate {name}", "checkpoints": {"model": "1"}, "seconds": 61.2}
        records.write(folder, name, rows, about | ({"remark": "on another day."} if name == "patches" else {}))
    return folder


def test_every_number_of_the_thesis_stands_beside_ours_with_interval_and_chance(reported):
    text = (reported / "README.md").read_text()
    lines = [line for line in text.splitlines() if re.match(r"\| (fashion|slices|patches), ", line)]
    assert len(lines) == len(CLAIMS)
    by_name = {tuple(cell.strip() for cell in line.split("|")[1:4]): line for line in lines}
    assert "| 0.298 | **0.310 [0.300, 0.320]** | 0.040 |" in by_name["slices, segmentation", "Residual", "circles"]
    assert "| 0.298 | 0.110 [0.100, 0.120] | 0.040 |" in by_name["slices, segmentation", "Residual, not masked", "circles"]
    assert "| 0.894 | 0.800 | 0.500 |" in by_name["fashion, detection", "outlier detector", "all"]
    assert "ours: KNN; best on test: LOF 0.850" in by_name["fashion, detection", "outlier detector", "all"]
    assert "`python -m vaead_core evaluate slices`" in text
    assert text.count("on another day.") == 1
    assert "\n\n`patches`: on another day.\n\n" in text


def test_every_figure_that_the_report_shows_is_drawn_and_every_drawn_one_shown(reported):
    shown = set(re.findall(r"\(figures/([a-z_]+\.png)\)", (reported / "README.md").read_text()))
    assert shown == {path.name for path in (reported / "figures").iterdir()}
    assert len(shown) >= 20


def test_a_detector_is_chosen_on_validation_and_never_on_the_test_table(tables):
    chosen = ("hbos", WHOLE)
    rows = tables["slices-validation"]
    rows.loc[(rows["scorer"] == "hbos") & (rows["detector_settings"] == WHOLE), "ap"] = 0.99
    assert chosen_detector(tables, "slices", "circles") == chosen
    assert best_detector(tables["slices"], "circles") == ("knn", POSITION)


def test_a_verdict_follows_the_numbers(tables):
    claim = "Activation maps beat residuals in every set (thesis): **"
    assert claim + "holds here**" in READINGS["slices"](tables)
    rows = tables["slices"]
    rows.loc[(rows["scorer"] == "activation") & (rows["dataset"] == "tumour"), "ap"] = 0.1
    assert claim + "does not hold here**" in READINGS["slices"](tables)


def test_a_threshold_that_marks_too_much_is_named_and_the_rest_not(tables):
    said = READINGS["readout"](tables)
    marks = "marks 4.0% (Residual) to 5.5% (Voxel atlas (baseline)) of the healthy test brains.** Outside 3% to 7%: none."
    assert marks in said
    assert "Voxel atlas (baseline) finds most painted lesions, 75.0% [75.0%, 75.0%]" in said
    assert "then shows 40 false components" in said
    rows = tables["readout"]
    rows.loc[(rows["measure"] == "marked") & (rows["scorer"] == "activation"), "value"] = 0.0701
    assert "Outside 3% to 7%: Activation map 7.0% [" in READINGS["readout"](tables)


@pytest.mark.parametrize(
    ("gone", "message"),
    [
        (("slices-validation",), "run: python -m vaead_core evaluate slices --subjects validation"),
        (
            (
                "fashion",
                "slices",
                "slices-validation",
                "patches",
                "background",
                "entropy",
                "painted",
                "painted-validation",
                "readout",
                "lesions",
            ),
            "holds no recorded",
        ),
    ],
)
def test_a_table_that_lacks_is_one_sentence_and_exit_2(folder, gone, message, capsys):
    for name in gone:
        records.remove(folder, name)
    assert main(["report", "--results", str(folder)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) == 1


def test_labels_say_what_differs_from_the_default():
    assert label("knn", POSITION) == "KNN, by position"
    assert label("knn", WHOLE) == "KNN"
    assert label("residual", "gaussian_mm=4") == "Residual, smoothed 4 mm"
    assert label("residual", masked=False) == "Residual, not masked"
    assert label("activation", "stage=3") == "Activation map, stage 3"


@pytest.mark.parametrize("name", READINGS)
def test_of_a_table_of_one_row_there_is_a_text_or_a_sentence(name):
    with suppress(InputError):  # any other error fails
        assert reading(name, {name: records.read(ROOT / "results", name).head(1)})
