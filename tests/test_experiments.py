import gzip
import json
import subprocess
import sys
import threading
import time
from contextlib import nullcontext
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.support.scans import development_data
from vaead_core import scorers
from vaead_core.__main__ import main
from vaead_core.errors import InputError
from vaead_core.experiments import records, subjects
from vaead_core.experiments.catalogue import EXPERIMENTS, parts_of
from vaead_core.experiments.fashion import deformed
from vaead_core.experiments.records import ALL, Measurement
from vaead_core.experiments.request import Request
from vaead_core.experiments.runner import Runner
from vaead_core.experiments.toy_scans import ToyPart
from vaead_core.inference.reference import PlaceStatistics
from vaead_core.scans.volume import Slices
from vaead_core.scorers.residual import Residual

ROOT = Path(__file__).resolve().parents[1]


def measurement(subject, combination, ap, scorer="residual", **more):
    return Measurement("segmentation", scorer, "", True, "circles", combination, subject, "model", 0, ap, 0.5, 0.1, **more)


def test_the_table_has_the_mean_over_subjects_and_the_map_over_combinations():
    rows = records.table("slices", [measurement(s, c, ap) for s, c, ap in (("a", "x", 0.2), ("a", "y", 0.4), ("b", "x", 0.6),
                                                                        ("b", "y", 1.0))])  # fmt: skip
    by_name = rows.set_index("combination")
    assert by_name.loc["x", "ap"] == pytest.approx(0.4)
    assert by_name.loc[ALL, "ap"] == pytest.approx(0.55)
    assert (by_name.loc[ALL, "ap_low"], by_name.loc[ALL, "ap_high"]) == (pytest.approx(0.3), pytest.approx(0.8))
    assert set(rows["subject_count"]) == {2}
    assert list(rows.columns) == list(records.COLUMNS)


def test_an_interval_over_images_is_kept_and_a_given_mean_not_made_again():
    found = [measurement("images", name, ap, ap_low=ap - 0.1, ap_high=ap + 0.1) for name, ap in (("x", 0.4), (ALL, 0.7))]
    rows = records.table("fashion", found).set_index("combination")
    assert len(rows) == 2
    assert rows.loc[ALL, ["ap", "ap_low", "ap_high"]].tolist() == pytest.approx([0.7, 0.6, 0.8])


def test_a_recorded_table_reads_back_as_it_was(tmp_path):
    rows = records.table("slices", [measurement("a", "x", 1 / 3, pooled_ap=0.25), measurement("b", "x", 0.5)])
    records.write(tmp_path, "slices", rows, {"command": "it"})
    back = records.read(tmp_path, "slices")
    assert back["detector_settings"].tolist() == ["", ""]
    np.testing.assert_allclose(back["ap"], rows["ap"], atol=1e-6)
    assert json.loads((tmp_path / "slices.json").read_text())["command"] == "it"
    assert records.read(tmp_path, "patches") is None


@dataclass(frozen=True)
class Counting:
    """A part that leaves a mark each time it is measured."""

    folder: str
    number: int

    def measure(self):
        (Path(self.folder) / f"{self.number}.mark").open("a").write("x")
        if self.number == 2 and not (Path(self.folder) / "mended").exists():
            raise InputError("part 2 breaks")
        return [measurement(f"s{self.number}", "x", self.number / 10)]


def test_a_large_table_is_kept_compressed_and_reads_alike(tmp_path):
    rows = records.table("slices", [measurement("a", f"circles {i}", i / 2400) for i in range(2400)])
    path = records.write(tmp_path, "slices", rows, {})
    first = path.read_bytes()
    assert path.name == "slices.csv.gz"
    assert len(first) < records.MOST_PLAIN_BYTES < len(gzip.decompress(first))
    assert records.content(tmp_path, "slices") == gzip.decompress(first)
    read = records.read(tmp_path, "slices")
    assert read["combination"].tolist() == pd.read_csv(path)["combination"].tolist()
    assert read["ap"].tolist() == rows["ap"].round(6).tolist()
    assert records.write(tmp_path, "slices", rows, {}).read_bytes() == first


def test_a_table_that_is_not_the_one_its_record_tells_of_is_one_sentence(tmp_path):
    """As one leaves it that does not write whole files, or who copies the one without the other."""
    records.write(tmp_path, "slices", records.table("slices", [measurement("a", "x", 0.512345)]), {})
    content = (tmp_path / "slices.csv").read_text()
    (tmp_path / "slices.csv").write_text(content.replace("0.512345", "0.51"))
    with pytest.raises(InputError, match=r"The table slices is not the one that slices\.json tells of"):
        records.read(tmp_path, "slices")


@pytest.mark.parametrize("steps", range(4))
def test_a_writer_that_is_stopped_at_any_step_leaves_a_table_and_what_tells_of_it(steps, tmp_path, monkeypatch):
    old, new = (records.table("slices", [measurement("a", "x", ap)]) for ap in (0.5, 0.25))
    records.write(tmp_path, "slices", old, {"command": "old"})
    done, replace_file = [], Path.replace

    def stopped(path: Path, target: Path) -> Path:
        if len(done) == steps:
            raise KeyboardInterrupt
        done.append(target)
        return replace_file(path, target)

    monkeypatch.setattr(Path, "replace", stopped)
    with pytest.raises(KeyboardInterrupt) if steps < 3 else nullcontext():
        records.write(tmp_path, "slices", new, {"command": "new"})
    found = records.read(tmp_path, "slices")["ap"][0], records.about_of(tmp_path, "slices")["command"]
    assert found == ((0.5, "old") if steps < 2 else (0.25, "new"))
    monkeypatch.undo()
    records.write(tmp_path, "slices", old, {"command": "again"})
    assert records.about_of(tmp_path, "slices")["command"] == "again"
    assert {path.name for path in tmp_path.iterdir()} == {"slices.csv", "slices.json"}


@pytest.mark.parametrize("name", records.recorded(ROOT / "results"))
def test_a_recorded_table_is_the_one_that_its_record_tells_of(name):
    folder = ROOT / "results"
    assert json.loads((folder / f"{name}.json").read_text())["table"] == sha256(records.content(folder, name)).hexdigest()


def test_two_that_add_to_one_table_both_succeed(tmp_path):
    records.write(tmp_path, "slices", records.table("slices", [measurement("a", "x", 0.5)]), {})

    def add(scorer: str) -> None:
        row = replace(measurement("a", "x", 0.25), scorer=scorer)
        with records.writing(tmp_path, "slices"):
            both = records.added(tmp_path, "slices", records.table("slices", [row]), {"command": scorer})
            time.sleep(0.02)
            records.write(tmp_path, "slices", *both)

    names = [f"scorer{number}" for number in range(8)]
    add(names[0])  # the same command once more, as after a kill at its very end, takes the place of what it added
    adding = [threading.Thread(target=add, args=(name,)) for name in names]
    for one in adding:
        one.start()
    for one in adding:
        one.join()
    assert set(names) < set(records.read(tmp_path, "slices")["scorer"])
    assert sorted(one["command"] for one in json.loads((tmp_path / "slices.json").read_text())["added"]) == names


def test_two_runs_of_the_same_parts_in_one_folder_both_succeed(tmp_path):
    (tmp_path / "mended").touch()
    parts, found = [Counting(str(tmp_path), number) for number in range(12)], []
    runs = [
        threading.Thread(target=lambda: found.append(Runner(tmp_path / "kept").run(parts, lambda part: "same"))) for _ in range(4)
    ]
    for one in runs:
        one.start()
    for one in runs:
        one.join()
    assert len(found) == 4
    assert all(one == found[0] for one in found)
    assert not list((tmp_path / "kept").glob("*.partial"))


def test_a_table_has_one_file_whatever_its_size_was_before(tmp_path):
    small = records.table("slices", [measurement("a", "x", 0.5)])
    large = records.table("slices", [measurement("a", f"circles {i}", 0.5) for i in range(2400)])
    for rows, name in ((small, "slices.csv"), (large, "slices.csv.gz"), (small, "slices.csv")):
        records.write(tmp_path, "slices", rows, {})
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["slices.json", name])
        assert records.recorded(tmp_path) == ["slices"]
    records.remove(tmp_path, "slices")
    assert records.recorded(tmp_path) == []
    assert records.content(tmp_path, "slices") is None


def test_an_interrupted_run_goes_on_with_the_parts_that_are_missing(tmp_path):
    parts = [Counting(str(tmp_path), number) for number in range(4)]
    runner = Runner(tmp_path / "kept")
    with pytest.raises(InputError, match="part 2 breaks"):
        runner.run(parts, lambda part: "files")
    (tmp_path / "mended").touch()
    found = runner.run(parts, lambda part: "files")
    assert [one.subject for one in found] == ["s0", "s1", "s2", "s3"]
    assert (tmp_path / "0.mark").read_text() == "x"
    assert (tmp_path / "2.mark").read_text() == "xx"
    runner.run(parts, lambda part: "other files")
    assert (tmp_path / "0.mark").read_text() == "xx", "a part of another checkpoint is measured again"


@pytest.fixture(scope="module")
def tiny_maps():
    return (("residual", ()), ("residual", (("masked", False),)), ("voxel_atlas", ()))


@pytest.fixture(scope="module")
def tiny_part(tiny_checkpoint_folder, tiny_maps):
    subject = json.loads((tiny_checkpoint_folder / "checkpoint.json").read_text())["data"]["test"][0]
    detectors = (("gmm", (("standardise", "global"),)), ("knn", (("standardise", "position"),)))
    return ToyPart(str(tiny_checkpoint_folder), "synthetic:4", subject, "tumour", 0, tiny_maps, detectors)


@pytest.fixture(scope="module")
def measured(tiny_part):
    return tiny_part.measure()


def test_a_toy_part_measures_every_score_with_its_chance_level(measured):
    segmentation = {(m.scorer, m.masked): m for m in measured if m.task == "segmentation"}
    assert set(segmentation) == {("residual", True), ("residual", False), ("voxel_atlas", True)}
    assert segmentation["residual", False].prevalence < segmentation["residual", True].prevalence < 0.2
    assert segmentation["voxel_atlas", True].ap > 3 * segmentation["voxel_atlas", True].prevalence
    detection = [m for m in measured if m.task == "detection"]
    assert {m.scorer for m in detection} == {"residual", "voxel_atlas", "gmm", "knn"} | set(scorers.SCORERS) - set(
        scorers.map_scorers()
    )
    assert {m.prevalence for m in detection} == {0.5}
    assert all(np.isfinite(m.ap) for m in measured)


def test_a_part_measured_twice_is_the_same(tiny_part, measured):
    assert repr(tiny_part.measure()) == repr(measured), "repr, for NaN is not itself"


@pytest.mark.parametrize(
    ("experiment", "options", "said"),
    [
        ("background", ["--scores", "residual"], "measure it without --add"),
        ("background", [], "needs --scores"),
        ("background", ["--scores", "residual", "--most-subjects", "1"], "leave --most-subjects away"),
        ("readout", ["--scores", "residual"], "measured as a whole"),
    ],
)
def test_what_cannot_be_added_is_said_before_it_is_measured(experiment, options, said, tmp_path, capsys):
    assert main(["evaluate", experiment, "--add", "--out", str(tmp_path), *options]) == 2
    assert said in capsys.readouterr().err


def test_a_validation_subject_is_measured_against_the_others(tiny_checkpoint, tiny_cohort, monkeypatch):
    people = ("first", "second", "third")
    brains = {name: replace(tiny_cohort.test.slices, pixels=tiny_cohort.test.slices.pixels * factor)
              for name, factor in zip(people, (1, 0.9, 0.8), strict=True)}  # fmt: skip
    source = replace(tiny_checkpoint.provenance.source, subjects={"validation": people, "test": ("fourth",)})
    checkpoint = replace(tiny_checkpoint, provenance=replace(tiny_checkpoint.provenance, source=source))
    monkeypatch.setattr(subjects, "opened", lambda folder: checkpoint)
    monkeypatch.setattr(subjects, "prepared", lambda source, name, folder: brains[name])
    found = subjects.judging("a folder", "a source", "second")
    others = Slices.concatenate([brains["first"], brains["third"]])
    model, depth = tiny_checkpoint.model, tiny_checkpoint.preprocessor.slice_grid.depth
    expected = PlaceStatistics.of(Residual(masked=False).score_map(model, others), others, depth)
    np.testing.assert_allclose(found.model.reference["residual"].mean, expected.mean, atol=1e-6)
    assert found.model.reference["intensity"] is model.reference["intensity"]  # of training brains
    assert found.model.healthy.keys() == model.healthy.keys()
    assert subjects.judging("a folder", "a source", "fourth") is checkpoint


@pytest.mark.parametrize(
    ("experiment", "more", "message"),
    [
        ("background", [], "compares models that do not ship"),
        ("slices", ["--checkpoint", "none-such"], "is not a checkpoint folder"),
        ("slices", ["--data", "none-such"], "does not exist; give a folder"),
        ("slices", ["--dask", "tcp://127.0.0.1:9", "--data", "../shared/data/ixi"], "No Dask scheduler answers"),
    ],
)
def test_what_cannot_be_evaluated_is_one_sentence_and_exit_2(experiment, more, message, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("vaead_core.computing.dask_cluster.CONNECTING_SECONDS", 1)
    assert main(["evaluate", experiment, "--out", str(tmp_path), *more]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_every_experiment_lists_its_parts(tiny_checkpoint_folder):
    development_data("lesions")
    for name in EXPERIMENTS:
        folders = () if EXPERIMENTS[name].defaults else (tiny_checkpoint_folder,)
        _, parts = parts_of(name, Request(folders, data="synthetic:4"))
        assert parts, name


def test_deformed_t_shirts_keep_their_size_and_differ():
    shirts = np.random.default_rng(0).integers(0, 255, (5, 28, 28), np.uint8)
    for name, images in deformed(shirts).items():
        assert images.shape == shirts.shape, name
        assert (images != shirts).mean() > 0.3, name


def test_evaluate_help_runs_without_torch():
    code = "import sys; from vaead_core.__main__ import _parser; _parser(); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
