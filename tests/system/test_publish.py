"""Checkpoints written again from their own weights."""

import json
import re
import resource
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from models.export import weights_from_onnx
from tests.support.trainings import FEW, only_scorers, prepared
from training import model_card, publish
from vaead_core import scorers
from vaead_core.checkpoints.checkpoint import DESCRIPTION, Checkpoint

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def copy(tiny_checkpoint_folder, tmp_path):
    return shutil.copytree(tiny_checkpoint_folder, tmp_path / "copy")


@pytest.fixture
def at_hand(thin_cohort, monkeypatch):
    """The cohort is not prepared again."""
    monkeypatch.setattr(publish, "load_data", lambda config: thin_cohort)


@pytest.fixture
def few_scorers():
    """Each is calibrated anew by the first test; what is kept of the rest does not depend on how many there are."""
    with only_scorers(*FEW):
        yield


def changed(folder, **fields) -> None:
    """Fields of checkpoint.json replaced; a field of its training settings by `training`."""
    description = json.loads((folder / DESCRIPTION).read_text())
    training = description["training"] | fields.pop("training", {})
    (folder / DESCRIPTION).write_text(json.dumps(description | fields | {"training": training}))


def test_republishing_keeps_weights_history_and_subjects_and_calibrates_again(copy, tiny_cohort, monkeypatch):
    monkeypatch.setattr(publish, "load_data", lambda config: tiny_cohort)
    before, weights = Checkpoint.load(copy), weights_from_onnx(copy)

    class Squared(scorers.SCORERS["residual"]):
        """A scorer that did not exist when the checkpoint was written."""

        def score_map(self, model, slices):
            return super().score_map(model, slices) ** 2

    monkeypatch.setitem(scorers.SCORERS, "squared", Squared)
    assert "squared" not in before.calibration
    assert publish.main([str(copy)]) == 0
    after = Checkpoint.load(copy)
    found = weights_from_onnx(copy)
    assert found.keys() == weights.keys()
    assert all(torch.equal(found[name], weights[name]) for name in weights)
    assert (after.history, after.provenance.source) == (before.history, before.provenance.source)
    assert after.provenance.training == before.provenance.training
    np.testing.assert_array_equal(after.latents.mean, before.latents.mean)
    for name, healthy in before.calibration.items():
        np.testing.assert_array_equal(after.calibration[name].pixels, healthy.pixels)
    squares = after.calibration["residual"].pixels ** 2
    np.testing.assert_allclose(after.calibration["squared"].pixels, squares, rtol=1e-2, atol=1e-6)


def test_notes_survive_republishing(copy, at_hand, few_scorers):
    changed(copy, notes="Tried once.")
    assert publish.main([str(copy), str(copy)]) == 0
    after = Checkpoint.load(copy)
    assert after.provenance.notes == "Tried once."
    assert after.card.count("Tried once.") == 1
    assert publish.main([str(copy), "--notes", "Tried twice."]) == 0
    assert "Tried twice." in Checkpoint.load(copy).card


def test_notes_of_a_folder_without_them_come_from_its_card(tiny_checkpoint):
    card = re.sub(r"\n```\n\n.*?\n\n## Last", "\n```\n\nOne try.\n\nNo sweep.\n\n## Last", tiny_checkpoint.card, flags=re.DOTALL)
    assert model_card.notes_of(card) == "One try.\n\nNo sweep."
    assert model_card.notes_of("no such card") == ""


@pytest.mark.parametrize(
    ("change", "data", "message"),
    [
        ({"training": {"data": "gone"}}, None, "copy was trained on gone, which is not at hand; give its folder by --data."),
        ({}, "synthetic:3", "copy was trained with other train subjects than synthetic:3 gives; give its own scans by --data."),
        ({"training": {"momentum": 1}}, None, "copy has the setting momentum, which this vaead does not know; train it again."),
    ],
)
def test_what_cannot_be_republished_is_one_sentence_and_stays_as_it_was(copy, change, data, message, capsys):
    changed(copy, **change)
    before = (copy / DESCRIPTION).read_bytes()
    assert publish.main([str(copy), *(["--data", data] if data else [])]) == 2
    assert capsys.readouterr().err == f"{message}\n"
    assert (copy / DESCRIPTION).read_bytes() == before


def test_a_checkpoint_from_before_the_split_seed_is_split_by_its_seed(copy, at_hand, few_scorers):
    description = json.loads((copy / DESCRIPTION).read_text())
    del description["training"]["split_seed"]
    (copy / DESCRIPTION).write_text(json.dumps(description))
    assert publish.main([str(copy)]) == 0
    assert Checkpoint.load(copy).provenance.training.settings["split_seed"] == description["training"]["seed"]


def test_scans_are_kept_only_where_a_scorer_uses_them(copy, at_hand, monkeypatch, capsys):
    monkeypatch.delitem(scorers.SCORERS, "patch_novelty")
    before = {path.name: path.read_bytes() for path in copy.iterdir()}
    assert publish.main([str(copy), "--with-scans"]) == 2
    assert "leave --with-scans away" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == before


@pytest.mark.parametrize("file", ["encoder.onnx", "calibration.npz"])
def test_a_file_that_the_kernel_refuses_leaves_the_previous_checkpoint_whole(copy, tiny_cohort_file, file):
    """A limit on the size of written files, which the kernel enforces in the middle of a write, as a full disk does."""
    before = {path.name: path.read_bytes() for path in copy.iterdir()}
    limit = len(before[file]) - 1000
    smaller = [name for name, content in before.items() if len(content) < limit]
    assert "latents.npz" in smaller, "others can be written"
    ran = subprocess.run(
        [*prepared("training.publish", tiny_cohort_file), str(copy)],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 2
    assert ran.stderr == f"{copy} could not be written (File too large); what was there before is whole.\n"
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == before
    assert [path.name for path in copy.parent.iterdir()] == ["copy"]
    assert Checkpoint.load(copy).calibration
