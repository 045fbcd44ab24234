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
from vaead_core.scans.volume import Slices


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


def test_a_reference_of_every_second_place_is_stored_and_linear_between_them():
    rng = np.random.default_rng(0)
    mean, deviation = (rng.uniform(0.5, 1, (3, 4, 4)).astype(np.float32) for _ in range(2))
    reference = Reference({"intensity": PlaceStatistics(mean, deviation, every=2)})
    found = arrays.unpacked(arrays.packed(reference, {}, {}))[0]["intensity"]
    assert found.every == 2
    assert found.covers(5, 8)
    assert found.covers(6, 7)
    assert not found.covers(3, 4)
    slices = Slices(np.zeros((4, 8, 8), np.float32), np.ones((4, 8, 8), bool), np.array([0, 1, 4, 99]))
    step = np.median(deviation) / arrays.STEPS
    at = found.mean_of(slices)
    assert at.shape == (4, 8, 8)
    np.testing.assert_allclose(at[0, ::2, ::2], mean[0], atol=step)
    np.testing.assert_allclose(at[1, 2, 4], (mean[0, 1, 2] + mean[1, 1, 2]) / 2, atol=step)
    np.testing.assert_allclose(at[2, 3, 6], (mean[2, 1, 3] + mean[2, 2, 3]) / 2, atol=step)
    np.testing.assert_array_equal(at[3], at[2], "beyond the last slice it stays as it is there")
    np.testing.assert_array_equal(at[:, 7], at[:, 6], "and beyond the last row")
    np.testing.assert_allclose(found.z(at, slices), 0, atol=1e-6)


@pytest.mark.parametrize("litter", [".DS_Store", "._README.md", "Thumbs.db", "desktop.ini"])
def test_what_a_system_leaves_in_a_folder_is_no_file_of_the_checkpoint(copy, tiny_checkpoint, litter):
    (copy / litter).write_bytes(b"\0\1")
    assert Checkpoint.load(copy).digest == tiny_checkpoint.digest


def test_ends_of_lines_that_a_copy_changed_are_read_as_they_were_written(copy, tiny_checkpoint):
    for name in ("README.md", "history.csv", "checkpoint.json"):
        (copy / name).write_bytes((copy / name).read_bytes().replace(b"\n", b"\r\n"))
    again = Checkpoint.load(copy)
    assert (again.digest, again.card, again.history) == (tiny_checkpoint.digest, tiny_checkpoint.card, tiny_checkpoint.history)
