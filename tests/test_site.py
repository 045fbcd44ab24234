"""Calibration on a few healthy scans of one scanner: right thresholds, refusals, what its file tells."""

import io
import json
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest

from tests.support.sites import foreign_brains, healthy_scans
from tests.support.trainings import FEW, only_scorers
from vaead_core import scorers
from vaead_core.__main__ import main
from vaead_core.checkpoints.calibration import RATES
from vaead_core.checkpoints.site import MOST_BYTES, Site, find_sites, site_file
from vaead_core.errors import CheckpointError, InputError
from vaead_core.measures.aggregates import DEFAULT
from vaead_core.pipeline import site_calibration
from vaead_core.pipeline.cautions import cautions
from vaead_core.pipeline.scoring import PreparedScan, score


@pytest.fixture(scope="module")
def brains(tiny_cohort):
    return foreign_brains(tiny_cohort)


@pytest.fixture
def site(tiny_site):
    return tiny_site


def pixels(checkpoint, name, slices, scale):
    found = score(PreparedScan(None, slices), checkpoint, name, scale)
    values = scorers.abnormality(name, found.maps)[slices.mask]
    middle = np.median(values)
    return values if scale == "healthy" else (values - middle) / (1.4826 * np.median(np.abs(values - middle)))


def quantile(parts, at):
    """Of several brains, each with the same weight however many pixels it has."""
    values = np.concatenate(parts)
    order = np.argsort(values)
    weight = np.concatenate([np.full(len(one), 1 / len(one) / len(parts)) for one in parts])[order]
    return values[order][np.searchsorted(np.cumsum(weight), at)]


@pytest.mark.parametrize("scale", ["healthy", "scan"])
@pytest.mark.parametrize("name", ["residual", "voxel_atlas"])
def test_thresholds_are_what_a_share_of_the_sites_pixels_exceeds_each_brain_alike(name, scale, brains, site, tiny_checkpoint):
    parts = [pixels(tiny_checkpoint, name, one, scale) for one in brains]
    found = site.calibration[name] if scale == "healthy" else site.calibration[name].scaled
    for rate in RATES:
        assert found.threshold(rate) == pytest.approx(quantile(parts, 1 - rate), rel=0.01)
        for at, own in enumerate(parts):
            others = [one for other, one in enumerate(parts) if other != at]
            expected = (own > quantile(others, 1 - rate)).mean()
            assert site.left_out[name, scale][RATES.index(rate), at] == pytest.approx(expected, abs=0.003)


@pytest.mark.parametrize("name", ["residual", "voxel_atlas"])
def test_scans_of_the_site_are_marked_as_much_as_they_should_be(name, brains, site, tiny_checkpoint):
    shares = []
    for brain in brains:
        of_brain = PreparedScan(None, brain)
        before, after = (score(of_brain, tiny_checkpoint, name, "healthy", at) for at in (None, site))
        np.testing.assert_array_equal(before.maps, after.maps)
        values = scorers.abnormality(name, after.maps)[brain.mask]
        shares.append([(values > one.thresholds[0.05]).mean() for one in (before, after)])
        ranks = [(site.calibration[name].images[DEFAULT] <= value).mean() for value in after.images[DEFAULT]]
        np.testing.assert_allclose(after.image_percentiles[DEFAULT], 100 * np.array(ranks), atol=1e-4)
        assert after.compared_with == "3 healthy scans of ours"
    without, calibrated = np.mean(shares, 0)
    assert without > 0.1
    assert calibrated == pytest.approx(0.05, abs=0.003)
    assert len(site.calibration[name].scans[DEFAULT]) == 3


def test_on_the_scans_own_scale_the_site_has_thresholds_too(brains, site, tiny_checkpoint):
    found = score(PreparedScan(None, brains[1]), tiny_checkpoint, "residual", "scan", site)
    values = found.maps[brains[1].mask]
    middle, spread = np.median(values), 1.4826 * np.median(np.abs(values - np.median(values)))
    threshold = site.calibration["residual"].scaled.threshold(0.05)
    assert found.thresholds[0.05] == pytest.approx(middle + spread * threshold, rel=1e-3)
    assert found.compared_with == "3 healthy scans of ours, on this scan's scale"


def test_a_fusion_is_the_same_map_with_a_site_as_without(brains, site, tiny_checkpoint):
    for scale in ("scan", "healthy"):
        one, other = (score(PreparedScan(None, brains[0]), tiny_checkpoint, "logistic_fusion", scale, at) for at in (None, site))
        np.testing.assert_array_equal(one.maps, other.maps)


def test_a_value_of_an_image_is_ranked_among_the_sites(brains, site, tiny_checkpoint):
    found = score(PreparedScan(None, brains[0]), tiny_checkpoint, "reconstruction_mse", "scan", site)
    assert found.healthy is site.calibration["reconstruction_mse"]
    values = scorers.build("reconstruction_mse").score(tiny_checkpoint.model, brains[0])
    assert np.isclose(values.mean(), site.calibration["reconstruction_mse"].scans[DEFAULT], rtol=1e-4).sum() == 1


def test_a_scan_beyond_the_sites_is_said_to_be(brains, site, tiny_checkpoint):
    noise = np.random.default_rng(0).choice(np.array([-1, 1], np.float32), brains[0].pixels.shape)
    noisy = replace(brains[0], pixels=np.where(brains[0].mask, noise, brains[0].pixels))
    prepared = PreparedScan(type("Brain", (), {"warnings": ()})(), noisy)
    [said] = cautions(prepared, [score(prepared, tiny_checkpoint, "residual", "healthy", site)], tiny_checkpoint)
    assert said.startswith("Every score of this scan exceeds those of all 3 healthy scans of ours.")


# Its file


def test_what_is_written_is_read_again(site, tiny_checkpoint, tmp_path):
    site.write(tmp_path / "a.site.npz")
    found = Site.read(tmp_path / "a.site.npz", tiny_checkpoint)
    assert (found.name, found.scans, found.checkpoint) == ("ours", 3, tiny_checkpoint.digest)
    for name, one in site.calibration.items():
        np.testing.assert_array_equal(found.calibration[name].pixels, one.pixels)
        np.testing.assert_array_equal(found.calibration[name].scans[DEFAULT], one.scans[DEFAULT])
        if one.scaled:
            np.testing.assert_allclose(found.calibration[name].scaled.pixels, one.scaled.pixels, rtol=1e-3, atol=1e-3)
    for key, shares in site.left_out.items():
        np.testing.assert_array_equal(found.left_out[key], shares)
    assert list(tmp_path.iterdir()) == [tmp_path / "a.site.npz"]


def test_another_checkpoints_file_is_one_sentence(site, tiny_checkpoint):
    foreign = replace(site, checkpoint="0" * 64).packed()
    with pytest.raises(CheckpointError, match="was made with another checkpoint than tiny, or with an older state of it"):
        Site.read(foreign, tiny_checkpoint)


def altered(content: bytes, **changes) -> bytes:
    with np.load(io.BytesIO(content)) as stored:
        arrays = dict(stored)
    about = json.loads(str(arrays["site"])) | changes.pop("about", {})
    out = io.BytesIO()
    np.savez(out, **(arrays | {"site": np.array(json.dumps(about))} | changes))
    return out.getvalue()


@pytest.mark.parametrize("damage", [
    lambda whole: whole[:-30],
    lambda whole: b"no archive",
    lambda whole: whole[:200] + bytes(40) + whole[240:],
    lambda whole: altered(whole, about={"scans": 2}),
    lambda whole: altered(whole, about={"scans": True}),
    lambda whole: altered(whole, about={"name": "<b>x</b>"}),
    lambda whole: altered(whole, about={"format": 3}),
    lambda whole: altered(whole, **{"scorer/residual/pixels": np.full(1001, np.nan, np.float32)}),
    lambda whole: altered(whole, **{"scorer/residual/pixels": np.array([{}], object)}),
    lambda whole: altered(whole, **{"left_out/residual/scan": np.ones((3, 2), np.float32)}),
    lambda whole: altered(whole, **{"left_out/residual/healthy": np.full((3, 3), 7, np.float32)}),
    lambda whole: altered(whole, **{"site": np.array("[")}),
])  # fmt: skip
def test_a_damaged_file_is_one_sentence(damage, site, tiny_checkpoint):
    with pytest.raises(CheckpointError, match="The site's file is no site calibration that vaead reads, or is damaged"):
        Site.read(damage(site.packed()), tiny_checkpoint)


def test_a_large_file_is_not_read(tiny_checkpoint, tmp_path):
    (tmp_path / "a.site.npz").write_bytes(bytes(MOST_BYTES + 1))
    with pytest.raises(CheckpointError, match=r"may have 8 MB; a\.site\.npz has more"):
        Site.read(tmp_path / "a.site.npz", tiny_checkpoint)


def test_files_are_found_beside_the_checkpoint_by_its_name(tmp_path):
    folder = tmp_path / "model"
    for name in ("model.ward-3.site.npz", "model.b.site.npz", "model-2.c.site.npz", "model.x.y.site.npz", "other.site.npz"):
        (tmp_path / name).touch()
    assert {name: path.name for name, path in find_sites(folder).items()} == {
        "b": "model.b.site.npz", "ward-3": "model.ward-3.site.npz",
    }  # fmt: skip
    assert site_file(folder, "b") == find_sites(folder)["b"]
    for name in ("", "../b", "a.b", "-a"):
        with pytest.raises(InputError, match="A site's name takes letters"):
            site_file(folder, name)


# The command


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    folder = tmp_path_factory.mktemp("healthy")
    for number, brain in enumerate(healthy_scans(), 11):
        nib.save(nib.Nifti1Image(brain.data, brain.affine), folder / f"anna_{number}.nii.gz")
    nib.save(nib.Nifti1Image(np.ones((20, 20, 20), np.float32), np.eye(4)), folder / "box.nii.gz")
    return folder


@pytest.fixture
def few_scorers():
    """All of them take a brain ten seconds."""
    with only_scorers(*FEW, "reconstruction_mse"):
        yield


def test_the_command_calibrates_and_score_uses_it(few_scorers, scans, tiny_checkpoint_folder, tmp_path, capsys):
    out = tmp_path / "ours.site.npz"
    assert main(["calibrate", str(tiny_checkpoint_folder), "--healthy", str(scans), "--name", "ours", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "Left out: Every voxel of box.nii.gz has the value 1" in printed
    assert "4 of 4 scans" in printed
    assert printed.splitlines()[-1] == f"{out}: 3 healthy scans of ours"
    assert b"anna" not in out.read_bytes()
    arguments = ["score", str(scans / "anna_11.nii.gz"), "--checkpoint", str(tiny_checkpoint_folder), "--out", str(tmp_path)]
    assert main([*arguments, "--site", str(out), "--scorers", "residual", "reconstruction_mse"]) == 0
    record = json.loads((tmp_path / "anna_11_scores.json").read_text())
    assert (record["site"]["name"], record["site"]["scans"], record["healthy_scans"]) == ("ours", 3, 3)
    assert record["scorers"]["residual"]["scale"] == "healthy"
    held = record["scorers"]["residual"]["marked_of_left_out_site_scans"]["0.05"]
    assert 0 < held["least"] <= held["median"] <= held["largest"] < 0.3
    assert main([*arguments, "--site", str(out), "--n4"]) == 2
    assert "choose the site or the correction. Or run: the same without --n4" in capsys.readouterr().err


@pytest.mark.parametrize("out", ["nowhere/ours.site.npz", "."])
def test_a_file_that_cannot_be_written_is_refused_before_scans_are_read(out, scans, tiny_checkpoint_folder, tmp_path, capsys):
    arguments = ["calibrate", str(tiny_checkpoint_folder), "--healthy", str(scans), "--out", str(tmp_path / out)]
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.err == f"{tmp_path / out} cannot be written: it must name a file in a folder that exists.\n"
    assert said.out == ""


def test_a_site_that_is_nowhere_is_said_with_those_that_are(scans, tiny_checkpoint_folder, tmp_path, capsys):
    folder = tmp_path / "model"
    folder.symlink_to(tiny_checkpoint_folder)
    arguments = ["score", str(scans / "anna_11.nii.gz"), "--checkpoint", str(folder), "--out", str(tmp_path), "--site", "ward-4"]
    assert main(arguments) == 2
    assert capsys.readouterr().err == "There is no file ward-4, and model has no site of that name (it has none).\n"
    (tmp_path / "model.ward-3.site.npz").touch()
    assert main(arguments) == 2
    assert "(it has ward-3)" in capsys.readouterr().err


def test_two_scans_that_can_be_used_are_too_few(few_scorers, scans, tiny_checkpoint_folder, tmp_path, capsys):
    for name in ("anna_11.nii.gz", "anna_12.nii.gz", "box.nii.gz"):
        (tmp_path / name).symlink_to(scans / name)
    (tmp_path / "again.nii.gz").symlink_to(scans / "anna_11.nii.gz")
    out = tmp_path / "ours.site.npz"
    assert main(["calibrate", str(tiny_checkpoint_folder), "--healthy", str(tmp_path), "--out", str(out)]) == 2
    said = capsys.readouterr()
    assert said.err == "Only 2 of 4 scans can be used, and a site needs 3; give others.\n"
    assert "the same scan as another" in said.out
    assert not out.exists()


@pytest.mark.parametrize(("source", "said"), [("synthetic:21", "21 were given"), ("nowhere", "does not exist")])
def test_too_many_scans_and_no_folder_are_refused_at_once(source, said, tiny_checkpoint_folder, tmp_path):
    with pytest.raises(InputError, match=said):
        site_calibration.calibrate_site(tiny_checkpoint_folder, source, "ours")


def test_several_scans_of_a_person_count_once(tiny_checkpoint_folder, tmp_path):
    for visit in "abc":
        (tmp_path / f"sub-1_ses-{visit}_T1w.nii.gz").touch()
    told = []
    with pytest.raises(InputError, match="calibrated on 3 to 20 healthy people; 1 were given"):
        site_calibration.calibrate_site(tiny_checkpoint_folder, str(tmp_path), "ours", tell=told.append)
    assert told == ["Left out: 2 further scans of people who have one already."]
