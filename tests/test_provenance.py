import json
from pathlib import Path

import pytest

from tests.support.descriptions import TRAINING, description
from vaead_core.checkpoints.provenance import Provenance
from vaead_core.checkpoints.search import shipped

ERROR = {"mse": 0.1, "atlas_mse": 0.2, "ratio": 0.5}


@pytest.mark.parametrize("folder", sorted(shipped().parent.iterdir()), ids=lambda folder: folder.name)
def test_what_a_checkpoint_that_ships_says_is_kept_whole(folder: Path):
    said = json.loads((folder / "checkpoint.json").read_text())
    written = Provenance.read(said).to_dict()
    assert written.pop("companions") == said.pop("companions", said.pop("further", {}))
    assert written == {name: said[name] for name in written}
    assert Provenance.read(Provenance.read(said).to_dict()) == Provenance.read(said)


def test_what_once_went_without_saying_has_its_value():
    found = Provenance.read(description(training=TRAINING | {"seed": 7}))
    assert found.training.split_seed == 7
    assert found.training.data is None
    assert (found.notes, found.companions, found.reconstruction, found.source.ages) == (None, {}, {}, {})


def test_companions_are_known_by_their_first_name_too():
    one = {"denoiser": {"epochs": 60, "history": "epoch,loss\n"}}
    for name in ("companions", "further"):
        found = Provenance.read(description(**{name: one})).companions["denoiser"]
        assert (found.settings, found.history) == ({"epochs": 60}, "epoch,loss\n")


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"architecture": {}}, "it lacks architecture.name"),
        ({"training": {"images": "slices", "data": None, "epochs": 3}}, "it lacks training.seed"),
        ({"training": TRAINING | {"seed": -1}}, "training.seed must be 0 or more"),
        ({"training": TRAINING | {"seed": True}}, "training.seed must be a whole number"),
        ({"training": TRAINING | {"split_seed": 0.5}}, "training.split_seed must be a whole number"),
        ({"training": TRAINING | {"data": 3}}, "training.data must be text"),
        ({"training": []}, "training must be a table of names and values"),
        ({"data": {"description": "x", "train": "first"}}, "data.train must be a list"),
        ({"data": {"description": "x", "train": [1]}}, "data.train must be text"),
        ({"data": {"description": "x", "train": ["a"], "ages": {"train": [1e999]}}}, "data.ages.train.0 must be a finite number"),
        ({"data": {"description": "x", "train": ["a"], "ages": {"train": ["9"]}}}, "data.ages.train must be a number"),
        ({"data": {"description": "x", "train": ["a"], "ages": {"train": []}}}, "data.ages.train has 0 entries for 1 subjects"),
        ({"reconstruction": {"test": ERROR | {"ratio": "x"}}}, "reconstruction.test.ratio must be a number"),
        ({"reconstruction": {"test": 3}}, "reconstruction.test must be a table of names and values"),
        ({"companions": {"denoiser": {"epochs": 60}}}, "it lacks companions.denoiser.history"),
        ({"notes": 3}, "notes must be text"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_an_entry_that_is_missing_or_of_a_wrong_kind_is_named(said, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        Provenance.read(description(**said))
