import os
import subprocess
import sys
from pathlib import Path

import pytest

from vaead_core.checkpoints import search
from vaead_core.computing import checkout
from vaead_core.computing.apart import GraphApart

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def own(tmp_path, monkeypatch) -> Path:
    """A folder of $VAEAD_CHECKPOINTS with a checkpoint `mine`."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "checkpoint.json").write_text("{}")
    monkeypatch.setenv("VAEAD_CHECKPOINTS", str(tmp_path))
    return tmp_path


def test_a_folder_of_ones_own_is_added_to_what_ships(own):
    assert search.folders() == [own, ROOT / "checkpoints"]
    assert {"mine", search.DEFAULT} <= set(search.available())


def test_several_folders_are_separated_as_in_path(own, monkeypatch):
    monkeypatch.setenv("VAEAD_CHECKPOINTS", f"{own}{os.pathsep}{own / 'more'}")
    assert search.folders()[:2] == [own, own / "more"]


def test_what_ships_can_be_left_out(own, monkeypatch):
    monkeypatch.setenv("VAEAD_SHIPPED", "off")
    assert search.available() == {"mine": own / "mine"}


def test_of_two_of_one_name_the_own_one_is_taken(own):
    (own / "mine").rename(own / search.DEFAULT)
    assert search.available()[search.DEFAULT] == own / search.DEFAULT
    assert search.shipped() == ROOT / "checkpoints" / search.DEFAULT


def test_a_checkpoint_is_given_by_its_folder_or_its_name(own):
    assert search.named(Path("mine")) == own / "mine"
    assert search.named(own) == own
    assert search.named(Path("none-such")) == Path("none-such")


def test_the_package_alone_finds_its_own(monkeypatch, tmp_path):
    monkeypatch.setattr(checkout, "PACKAGE", tmp_path / "vaead_core")
    monkeypatch.setattr(search, "PACKAGE", tmp_path / "vaead_core")
    assert checkout.checkout() is None
    assert search.shipped() == tmp_path / "vaead_core" / "checkpoints" / "shipped" / search.DEFAULT


def test_a_training_is_started_from_anywhere(tmp_path):
    command = [sys.executable, "-m", "vaead_core", "train", "--help"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0
    assert "usage: python -m training.run" in ran.stdout


@pytest.mark.parametrize(("by_a_page", "its_own", "there"), [(True, False, True), (True, True, False), (False, False, False)])
def test_a_pages_job_runs_the_networks_of_what_a_session_uploaded_apart(
    tiny_checkpoint_folder, monkeypatch, by_a_page, its_own, there
):
    monkeypatch.setenv("VAEAD_CHECKPOINTS", str(tiny_checkpoint_folder.parent) if its_own else "")
    monkeypatch.setenv(search.APART, "1")
    if not by_a_page:
        monkeypatch.delenv(search.APART)
    model = search.opened.__wrapped__(str(tiny_checkpoint_folder)).model
    assert {isinstance(graph, GraphApart) for graph in model.companions.values()} == {there}
