"""What runs a study elsewhere: the Boutiques descriptor, the SLURM array, and what the Apptainer image is built of."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from boutiques.bosh import execute
from boutiques.validator import validate_descriptor

from deploy.boutiques import descriptor
from tests.support.apptainer import Definition
from tests.support.dockerfile import Dockerfile
from vaead_core.study.command import parser

ROOT = Path(__file__).resolve().parents[1]
DESCRIPTOR = ROOT / "deploy" / "boutiques.json"
SLURM = ROOT / "deploy" / "slurm.sh"


def test_the_descriptor_is_that_of_the_commands_own_options_and_valid():
    assert json.loads(DESCRIPTOR.read_text()) == descriptor(), "python -m deploy.boutiques > deploy/boutiques.json"
    validate_descriptor(descriptor())


def test_a_call_through_boutiques_is_the_call_of_the_command_line(tmp_path):
    (tmp_path / "raw").mkdir()
    call = {
        "bids_dir": str(tmp_path / "raw"), "out": str(tmp_path / "out"), "level": "participant",
        "participant_label": ["01", "02"], "scorers": ["residual", "voxel_atlas"], "percentile": "99", "n_procs": 2,
        "no_strip": True,
    }  # fmt: skip
    (tmp_path / "call.json").write_text(json.dumps(call))
    words = execute("simulate", str(DESCRIPTOR), "-i", str(tmp_path / "call.json")).shell_command.split()
    options = vars(parser().parse_args(words[1:]))
    wanted = call | {"bids_dir": tmp_path / "raw", "out": tmp_path / "out", "strip": False}
    assert {name: options[name] for name in wanted if name != "no_strip"} == {
        name: value for name, value in wanted.items() if name != "no_strip"
    }


def slurm(folder: Path, *words: str, **task: str) -> list[str]:
    """The words that a task gives vaead; none where it has nothing to do."""
    program = folder / "vaead"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {folder / "called"}\n')
    program.chmod(0o755)
    (folder / "called").unlink(missing_ok=True)
    path = os.pathsep.join([str(folder), os.environ["PATH"]])
    subprocess.run([SLURM, *words], env=os.environ | {"PATH": path} | task, check=True)
    return (folder / "called").read_text().split("\n")[:-1] if (folder / "called").exists() else []


@pytest.mark.parametrize("tasks", [1, 3, 7])
def test_the_tasks_of_an_array_take_every_participant_once(tmp_path, tasks):
    bids, people = tmp_path / "a study", [f"sub-{number:02}" for number in range(1, 6)]
    for name in (*people, "derivatives"):
        (bids / name).mkdir(parents=True)
    (bids / "sub-notes.txt").write_text("no participant")
    taken = []
    for task in range(tasks):
        array = {"SLURM_ARRAY_TASK_ID": str(task), "SLURM_ARRAY_TASK_COUNT": str(tasks)}
        words = slurm(tmp_path, str(bids), "out", "participant", "--scorers", "residual", **array)
        if words:
            options = parser().parse_args(words)
            assert (options.bids_dir, options.level, options.scorers) == (bids, "participant", ["residual"])
            taken += options.participant_label
        else:
            assert task >= len(people)
    assert sorted(taken) == people


def test_the_table_of_all_is_one_task(tmp_path):
    assert slurm(tmp_path, "raw", "out", "group") == ["raw", "out", "group"]


def test_the_apptainer_image_is_built_of_what_the_dockers_is():
    recipe, definition = Dockerfile.read(ROOT / "Dockerfile"), Definition.read(ROOT / "deploy" / "apptainer.def")
    assert definition.head == {"bootstrap": "docker", "from": recipe.all("FROM")[0]}
    *first, last = recipe.installing
    assert definition.installing == [*first, [*last, "--extra", "cluster"]]
