import json
import math

import pytest

from tests.support.descriptions import TRAINING, description
from vaead_core.checkpoints.summary import facts, read_history, side_by_side
from vaead_core.errors import CheckpointError


@pytest.fixture
def described(tmp_path):
    """A folder whose description holds what a test gives."""

    def write(**said):
        (tmp_path / "checkpoint.json").write_text(json.dumps(description(**said) | {"preprocessor": None}))
        return facts(tmp_path)

    return write


def test_facts_are_what_was_trained(tiny_checkpoint_folder):
    found = facts(tiny_checkpoint_folder)
    assert (found.name, found.images, found.architecture, found.latents) == ("tiny", "slices", "constrained_vae", 16)
    assert found.epochs == 2
    assert found.of_brains
    assert found.megabytes == pytest.approx(sum(path.stat().st_size for path in tiny_checkpoint_folder.iterdir()) / 1e6)
    assert found.ratios.keys() == {"validation", "test"}
    assert found.settings["preprocessor.spacing_mm"] == "2"
    assert not any(name.startswith(("files", "notes", "training.architecture")) for name in found.settings)


def test_settings_that_differ_come_first_with_both_values(described):
    first = described(stride=8, training=TRAINING)
    second = described(stride=8, training=TRAINING | {"seed": 1}, notes="not a setting", new=[1, 2, 3, 4])
    rows = side_by_side(first, second)
    assert [(row.name, row.first, row.second) for row in rows if row.differs] == [
        ("new", None, "4 entries"),
        ("training.seed", "0", "1"),
    ]
    assert [row.differs for row in rows] == sorted((row.differs for row in rows), reverse=True)
    assert {row.name: row.first for row in rows if not row.differs}["stride"] == "8"


@pytest.mark.parametrize(
    "content", ["", "[", "[]", "3", "null", "{}", '{"training": 3, "architecture": {}}', "[" * 100_000], ids=lambda text: text[:9]
)
def test_a_description_that_is_none_is_one_sentence(tmp_path, content):
    (tmp_path / "checkpoint.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"checkpoint\.json of .* cannot be read"):
        facts(tmp_path)


def test_odd_values_are_left_out_or_cut_short(described):
    found = described(architecture={"name": "x" * 300, "latent_size": "many"}, long="x" * 9999)
    assert len(found.architecture) == 200
    assert found.latents is None
    assert len(found.settings["long"]) == 200


def test_a_history_is_a_number_for_each_epoch_and_column():
    assert read_history("epoch,loss\n1,2.5\n2,nan\n")["epoch"] == [1, 2]
    assert math.isnan(read_history("epoch,loss\n1,2.5\n2,nan\n")["loss"][1])
    for text in ("", "epoch,loss\n", "loss\n1\n", "epoch\ninf\n"):
        assert read_history(text) == {}


@pytest.mark.parametrize("text", ["epoch,loss\n1,x\n", "epoch,loss\n1\n", "epoch\n1,2\n"])
def test_a_history_of_anything_else_is_one_sentence(text):
    with pytest.raises(CheckpointError, match="does not hold a number"):
        read_history(text)
