"""A whole experiment by its command: in one process, in two, on a Dask cluster."""

import csv
import io
import json
import re
import time
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from tests.support.clusters import dask, scheduler
from tests.support.scans import development_data
from vaead_core.__main__ import main
from vaead_core.experiments import records
from vaead_core.experiments.lesion_facts import sentences

ROOT = Path(__file__).resolve().parents[2]


def arguments(folder, out, *more):
    return ["evaluate", "background", "--checkpoint", str(folder), "--out", str(out), "--data", "synthetic:4", *more]


@pytest.fixture(scope="module")
def here(tiny_checkpoint_folder, tmp_path_factory):
    """Where the command wrote its table, in this process alone."""
    out = tmp_path_factory.mktemp("here")
    with redirect_stdout(io.StringIO()) as printed:
        assert main(arguments(tiny_checkpoint_folder, out)) == 0
    assert "rows from" in printed.getvalue()
    return out


def test_the_command_records_a_table_and_the_same_again_on_two_processes(here, tiny_checkpoint_folder, tmp_path, capsys):
    assert main(arguments(tiny_checkpoint_folder, tmp_path, "--jobs", "2")) == 0
    assert "rows from" in capsys.readouterr().out
    one, two = (records.content(folder, "background") for folder in (here, tmp_path))
    assert one == two
    rows = list(csv.DictReader(one.decode().splitlines()))
    assert {row["dataset"] for row in rows} == {"circles", "random", "multiple", "tumour"}
    about = json.loads((here / "background.json").read_text())
    assert about["command"] == "python -m vaead_core evaluate background --checkpoint tiny"


def test_scores_that_are_added_make_the_table_that_is_measured_at_once(here, tiny_checkpoint_folder, tmp_path, capsys):
    all_of_them = records.read(here, "background")["scorer"].unique().tolist()
    first = arguments(tiny_checkpoint_folder, tmp_path, "--scores", *all_of_them[1:])
    assert main(first) == 0
    more = arguments(tiny_checkpoint_folder, tmp_path, "--scores", all_of_them[0], "--add")
    assert main(more) == 0
    assert records.content(tmp_path, "background") == records.content(here, "background")
    about = json.loads((tmp_path / "background.json").read_text())
    assert about["command"].endswith(" ".join(all_of_them[1:]))
    assert about["added"][0]["command"].endswith(f"--scores {all_of_them[0]}")
    assert main([*more, "--toys", "circles"]) == 0
    assert records.content(tmp_path, "background") == records.content(here, "background")


def test_dask_workers_give_the_same_table(here, tiny_checkpoint_folder, tmp_path, dask_cluster):
    assert main(arguments(tiny_checkpoint_folder, tmp_path, "--dask", dask_cluster)) == 0
    assert records.content(tmp_path, "background") == records.content(here, "background")


def test_a_cluster_that_was_started_elsewhere_or_has_no_worker_is_one_sentence(tiny_checkpoint_folder, tmp_path, capsys):
    """Dask waits without an end for a worker, and for one that can read what it is sent."""
    (tmp_path / "vaead_core.py").write_text("raise ImportError('it is not installed here')")
    without = {"PYTHONPATH": str(tmp_path)}
    with scheduler(tmp_path, **without) as address:
        assert main(arguments(tiny_checkpoint_folder, tmp_path, "--dask", address)) == 2
        assert f"The scheduler at {address} has no worker" in capsys.readouterr().err
        with dask("worker", address, "--nworkers", "1", "--no-dashboard", cwd=tmp_path, **without):
            for _ in range(100):
                status = main(arguments(tiny_checkpoint_folder, tmp_path, "--dask", address))
                error = capsys.readouterr().err
                if "has no worker" not in error:
                    break
                time.sleep(0.3)
    assert status == 2
    assert "cannot import vaead_core; where this vaead is installed, start" in error


def test_what_the_report_tells_of_the_patients_is_written_where_they_are_measured(tmp_path):
    development_data("lesions")
    assert main(["evaluate", "lesions", "--scores", "voxel_atlas", "--out", str(tmp_path)]) == 0
    found, recorded = "\n".join(sentences(tmp_path)), "\n".join(sentences(ROOT / "results"))
    shares = re.compile(r"\d+(?=%)")
    assert shares.sub("", found) == shares.sub("", recorded)
    said = [int(share) for share in shares.findall(found)]
    assert said == pytest.approx([int(share) for share in shares.findall(recorded)], abs=1), "another processor rounds otherwise"
