import json
import pickle
import shutil

import numpy as np
import pytest

from vaead_core.checkpoints import arrays
from vaead_core.checkpoints import checkpoint as module
from vaead_core.checkpoints.calibration import RATES
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.errors import CheckpointError
from vaead_core.inference.reference import PlaceStatistics, Reference


@pytest.fixture
def copy(tiny_checkpoint_folder, tmp_path):
    return shutil.copytree(tiny_checkpoint_folder, tmp_path / "copy")


def refusal(folder) -> str:
    with pytest.raises(CheckpointError) as caught:
        Checkpoint.load(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_checkpoint_reloads_what_was_trained(tiny_checkpoint):
    assert tiny_checkpoint.model.vae.latent_size == 16
    assert tiny_checkpoint.preprocessor.spacing_mm == 2
    assert tiny_checkpoint.latents.mean.dtype == np.float16
    assert tiny_checkpoint.provenance.architecture["width"] == 8
    assert "Research use only" in tiny_checkpoint.card
    assert len(tiny_checkpoint.history.splitlines()) == 3


def test_healthy_pixels_exceed_a_threshold_at_its_rate(tiny_checkpoint):
    for name, healthy in tiny_checkpoint.calibration.items():
        if len(healthy.pixels):
            for rate in RATES:
                assert healthy.rate(healthy.threshold(rate)) == pytest.approx(rate, abs=0.003), name


@pytest.mark.parametrize("name", module.FILES)
def test_a_missing_file_is_named(copy, name):
    (copy / name).unlink()
    assert f"lacks {name}" in refusal(copy)


@pytest.mark.parametrize("name", module.FILES)
def test_an_altered_file_is_named(copy, name):
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    assert f"{name} of copy was altered" in refusal(copy)


def test_a_folder_without_description_is_no_checkpoint(tmp_path):
    assert "is not a checkpoint folder" in refusal(tmp_path)


def test_a_damaged_description_is_said(copy):
    (copy / "checkpoint.json").write_text("{")
    assert "damaged" in refusal(copy)


def test_an_unknown_format_version_is_said(copy):
    description = json.loads((copy / "checkpoint.json").read_text())
    for version, called in ((99, "99"), ("a\0b" * 99, "a?ba?ba?ba?ba?ba?ba?…")):
        (copy / "checkpoint.json").write_text(json.dumps(description | {"format_version": version}))
        assert f"has checkpoint format {called}, this vaead reads" in refusal(copy)


def test_a_pickle_is_never_loaded(copy):
    class Bomb:
        def __reduce__(self):
            return (exec, ("raise SystemExit('unpickled')",))

    (copy / "weights.pkl").write_bytes(pickle.dumps(Bomb()))
    assert "pickles are never loaded" in refusal(copy)


def test_a_pickle_in_place_of_an_archive_is_never_loaded(copy):
    content = pickle.dumps({"mean": 1})
    (copy / "latents.npz").write_bytes(content)
    description = json.loads((copy / "checkpoint.json").read_text())
    description["files"]["latents.npz"] = module._sha256(content)
    (copy / "checkpoint.json").write_text(json.dumps(description))
    assert "not a NumPy archive" in refusal(copy)


@pytest.mark.parametrize(("largest", "bits"), [(1.0, 8), (100.0, 16), (900.0, 32), (5000.0, 32)])
def test_a_stored_reference_is_right_to_a_small_share_of_a_deviation(largest, bits):
    rng = np.random.default_rng(0)
    mean = rng.uniform(-largest, largest, (3, 8, 8)).astype(np.float32)
    deviation = rng.uniform(0.1, 1.9, (3, 8, 8)).astype(np.float32)
    stored = arrays.packed(Reference({"intensity": PlaceStatistics(mean, deviation)}), {}, {})
    found, _, _ = arrays.unpacked(stored)
    step = np.median(deviation) / arrays.STEPS
    assert np.abs(found["intensity"].mean - mean).max() <= 0.51 * step + 1e-6 * largest
    assert np.abs(found["intensity"].deviation - deviation).max() <= 0.51 * step
    assert stored["reference/intensity/mean"].dtype == f"int{bits}"


@pytest.mark.parametrize("litter", [".DS_Store", "._README.md", "Thumbs.db", "desktop.ini"])
def test_what_a_system_leaves_in_a_folder_is_no_file_of_the_checkpoint(copy, tiny_checkpoint, litter):
    (copy / litter).write_bytes(b"\0\1")
    assert Checkpoint.load(copy).digest == tiny_checkpoint.digest


def test_ends_of_lines_that_a_copy_changed_are_read_as_they_were_written(copy, tiny_checkpoint):
    for name in ("README.md", "history.csv", "checkpoint.json"):
        (copy / name).write_bytes((copy / name).read_bytes().replace(b"\n", b"\r\n"))
    again = Checkpoint.load(copy)
    assert (again.digest, again.card, again.history) == (tiny_checkpoint.digest, tiny_checkpoint.card, tiny_checkpoint.history)
