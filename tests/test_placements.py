"""Where a scan lies on the atlas is kept for the next run, in a folder that is asked for, and is no picture of anybody."""

from dataclasses import replace

import numpy as np
import pytest

from vaead_core.computing.remembered import remembered
from vaead_core.scans.content import content
from vaead_core.scans.geometry import Placement
from vaead_core.scans.registration import placements

FOUND = Placement(np.diag([0.1 + 0.2, 1.0, 1.1, 1.0]), 0.9, 0.8, 0.7, "top", cut=True)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(placements.FOLDER, str(tmp_path / "kept"))
    return tmp_path / "kept"


@pytest.fixture
def run():
    """A function of a scan as a new process has it, and how often it computed."""
    asked = []

    def once(scan):
        @remembered(content, 4, placements.find, placements.keep)
        def place(scan):
            asked.append(scan)
            return FOUND

        return place(scan), len(asked)

    return once


def test_a_placement_is_found_once_for_all_runs_and_comes_back_to_the_bit(folder, run, brain_volume):
    assert run(brain_volume)[1] == 1
    found, computed = run(replace(brain_volume, name="another name"))
    assert computed == 1
    np.testing.assert_array_equal(found.matrix, FOUND.matrix)
    assert replace(found, matrix=FOUND.matrix) == FOUND
    brighter = replace(brain_volume, data=brain_volume.data * np.float32(1.5))
    assert run(brighter)[1] == 2, "another scan"
    files = list(folder.iterdir())
    assert len(files) == 2
    assert not [file for file in files if "phantom" in file.name + file.read_text() or file.stat().st_size > 1000]


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[1]", b'{"matrix": [[1]], "similarity": 1, "dice": 1, "covered_share": 1, "missing_part": ""}', b"\xff"],
)
def test_a_damaged_file_is_found_again(content, folder, run, brain_volume):
    run(brain_volume)
    [file] = folder.iterdir()
    file.write_bytes(content)
    found, computed = run(brain_volume)
    assert (found, computed) == (FOUND, 2)
    assert run(brain_volume)[1] == 2, "it is whole again"


def test_other_code_finds_its_own(folder, run, brain_volume, monkeypatch):
    run(brain_volume)
    monkeypatch.setattr(placements, "_code", lambda: "changed")
    assert run(brain_volume)[1] == 2


def test_a_folder_that_cannot_be_written_to_stops_nothing(folder, run, brain_volume):
    folder.write_text("a file")
    assert run(brain_volume) == (FOUND, 1)


def test_without_a_folder_nothing_is_kept(tmp_path, run, brain_volume, monkeypatch):
    monkeypatch.delenv(placements.FOLDER)
    monkeypatch.chdir(tmp_path)
    run(brain_volume)
    assert run(brain_volume)[1] == 2
    assert not list(tmp_path.iterdir())
