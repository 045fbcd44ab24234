"""Detection limits of one scan: lesions are painted as asked for, counted by the rule, and put into words."""

import json
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest

from vaead_core.__main__ import main
from vaead_core.pipeline import scoring
from vaead_core.pipeline.limits import lesion_scans, measuring, table
from vaead_core.pipeline.limits.lesion_scans import APART_MM, EDGES_ML, LOOKS, LOST, MIRROR_MM, SIZES, PaintedLesion
from vaead_core.pipeline.limits.measuring import ThresholdedMap, detection_limits
from vaead_core.pipeline.limits.psychometric import NOT_REACHED, Psychometric
from vaead_core.pipeline.limits.record import limits_record
from vaead_core.pipeline.limits.table import Limits, Outcome, lines
from vaead_core.scans.volume import Volume

NAME = "voxel_atlas"
REPEATS = 3


@pytest.fixture(scope="module")
def prepared(brain_volume, tiny_checkpoint) -> scoring.PreparedScan:
    return scoring.prepare(brain_volume, tiny_checkpoint)


@pytest.fixture(scope="module")
def scored(prepared, tiny_checkpoint) -> scoring.Scored:
    return scoring.score(prepared, tiny_checkpoint, NAME)


def limits_at(threshold, prepared, scored, checkpoint, seed=0, repeats=1) -> Limits:
    (found,) = detection_limits(prepared, checkpoint, [ThresholdedMap(scored, threshold, 0.05)], lambda _: None, seed, repeats)
    return found


@pytest.fixture(scope="module")
def limits(prepared, scored, tiny_checkpoint) -> Limits:
    return limits_at(ThresholdedMap.at(scored, 0.05).threshold, prepared, scored, tiny_checkpoint, repeats=REPEATS)


@pytest.fixture(scope="module")
def scans(prepared, tiny_checkpoint):
    return list(lesion_scans.lesion_scans(prepared, tiny_checkpoint.preprocessor, 0, 1))


def test_lesions_lie_in_the_brain_apart_and_as_large_as_is_said(scans, prepared, tiny_checkpoint):
    grid = tiny_checkpoint.preprocessor.slice_grid
    for scan, _ in scans:
        assert not scan.labels[~prepared.slices.mask].any()
        voxels = [np.argwhere(grid.to_volume(scan.labels == n, scan.slices)) for n in range(1, len(scan.lesions) + 1)]
        assert [len(one) * 8 / 1000 for one in voxels] == pytest.approx([one.volume_ml for one in scan.lesions])
        for at, one in enumerate(voxels):
            for other in voxels[at + 1 :]:
                assert 2 * np.sqrt(((one[:, None] - other) ** 2).sum(-1)).min() >= APART_MM
                opposite = other * [-1, 1, 1] + [tiny_checkpoint.preprocessor.slice_grid.atlas.shape[0], 0, 0]
                assert 2 * np.sqrt(((one[:, None] - opposite) ** 2).sum(-1)).min() >= MIRROR_MM


def test_what_is_wanted_of_every_size_and_look_is_painted_once(scans):
    painted = [(one.look, one.size) for scan, _ in scans for one in scan.lesions]
    assert len(painted) == len(set(painted))
    assert scans[-1][1] == 0, "nothing is left"
    assert len(painted) > 0.8 * len(LOOKS) * len(SIZES), "some may find no room"


def test_a_small_brain_holds_the_small_lesions_alone(prepared, tiny_checkpoint):
    brain = prepared.brain
    kept = np.zeros_like(brain.mask)
    kept[74:82, 54:64, 38:46] = brain.mask[74:82, 54:64, 38:46]
    small = replace(brain, mask=kept, intensity=brain.intensity * kept)
    few = scoring.PreparedScan(small, tiny_checkpoint.preprocessor.to_slices(small))
    found = list(lesion_scans.lesion_scans(few, tiny_checkpoint.preprocessor, 0, 1))
    sizes = {one.size for scan, _ in found for one in scan.lesions}
    assert SIZES[0] in sizes
    assert SIZES[-1] not in sizes
    assert found[-1][1] == 0


def test_a_lesion_is_as_dark_as_its_look_says_and_the_rest_of_the_slices_stays(scans, prepared):
    scale = prepared.brain.scale
    for scan, _ in scans:
        for number, one in enumerate(scan.lesions, 1):
            where = scan.labels == number
            before, after = scale.to_own(prepared.slices.pixels[where]), scale.to_own(scan.slices.pixels[where])
            change = after / before - 1
            if one.look == LOST:
                assert change.max() < 0
            elif one.kind != "mass":  # which moves tissue besides
                assert change.min() == pytest.approx(LOOKS[one.look], abs=0.01)
        changed = scan.slices.pixels != prepared.slices.pixels
        assert not changed[~prepared.slices.mask].any()


def sensitivity(limits: Limits, *cells: tuple[str, str]) -> float:
    these = [one for one in limits.cells if (one.look, one.size) in cells]
    return sum(one.found for one in these) / sum(one.count for one in these)


def test_large_and_strong_lesions_are_found_rather_than_small_and_weak_ones(limits):
    assert sensitivity(limits, *(("40 % darker", size) for size in SIZES[2:])) > 0.8
    assert sensitivity(limits, *(("5 % darker", size) for size in SIZES[:2])) < 0.3
    for size in SIZES:
        assert sensitivity(limits, ("40 % darker", size)) >= sensitivity(limits, ("5 % darker", size))


def test_what_lies_beside_others_and_is_no_lesion_is_not_found(prepared, tiny_checkpoint, monkeypatch):
    for module in (lesion_scans, measuring, table):
        monkeypatch.setattr(module, "LOOKS", {"0 % darker": 0.0, "40 % darker": -0.4})
    monkeypatch.setattr(lesion_scans, "KINDS", ("cortical", "white_matter"))  # a mass moves tissue besides
    names = ("residual", "asymmetry")
    maps = [ThresholdedMap.at(scoring.score(prepared, tiny_checkpoint, name), 0.05) for name in names]
    both = detection_limits(prepared, tiny_checkpoint, maps, lambda _: None, 0, 1)
    assert any(one.found for one in both[1].outcomes), "the others are"
    for found in both:
        of_none = [one for one in found.outcomes if one.lesion.look == "0 % darker"]
        assert len(of_none) == len(SIZES)
        assert not any(one.found for one in of_none)


@pytest.fixture(scope="module")
def extremes(prepared, scored, tiny_checkpoint) -> dict[float, Limits]:
    """Of a map that marks nothing, and of one that marks everything, in the same scans."""
    maps = {threshold: ThresholdedMap(scored, threshold, 0.05) for threshold in (np.inf, -np.inf)}
    return dict(zip(maps, detection_limits(prepared, tiny_checkpoint, list(maps.values()), lambda _: None, 0, 1), strict=True))


@pytest.mark.parametrize("threshold", [np.inf, -np.inf])
def test_a_map_that_marks_nothing_or_everything_finds_no_lesion(threshold, extremes):
    found = extremes[threshold]
    assert not any(one.found for one in found.outcomes), "what was marked before does not count"
    assert all(one.marked_before == (threshold < 0) for one in found.outcomes)
    assert found.false_components == (threshold < 0), "one part is the whole brain"


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(prepared, scored, tiny_checkpoint):
    maps = [ThresholdedMap.at(scored, 0.05)]

    def text(seed):
        found = detection_limits(prepared, tiny_checkpoint, maps, lambda _: None, seed, 1)
        return json.dumps(limits_record(prepared, maps, found, tiny_checkpoint, seed))

    assert text(0) == text(0) != text(1)


def noisy(scan: Volume) -> Volume:
    """White noise of half the brain's mean, which its own intensities go under in."""
    noise = np.random.default_rng(0).normal(0, 0.5 * scan.data[scan.mask].mean(), scan.data.shape)
    return replace(scan, data=np.where(scan.mask, np.abs(scan.data + noise), 0).astype(np.float32), brain=scan.mask)


def test_fewer_lesions_are_found_in_a_noisy_scan_than_in_itself(brain_volume, prepared, scored, tiny_checkpoint):
    worse = scoring.prepare(noisy(brain_volume), tiny_checkpoint)
    of_both = []
    for scan, one in ((prepared, scored), (worse, scoring.score(worse, tiny_checkpoint, NAME))):
        maps = [ThresholdedMap.at(one, 0.05)]
        both = [detection_limits(scan, tiny_checkpoint, maps, lambda _: None, seed, 2)[0] for seed in (0, 1)]
        of_both.append(sum(outcome.found for limits in both for outcome in limits.outcomes))
    clean, noise = of_both
    assert noise < 0.9 * clean, "of 100 lesions each"


def test_what_is_known_is_told_after_each_scan_and_whoever_is_told_can_end_it(prepared, scored, tiny_checkpoint):
    told = []

    def tell(progress):
        told.append(progress)
        if len(told) == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        detection_limits(prepared, tiny_checkpoint, [ThresholdedMap.at(scored, 0.05)], tell, 0, 1)
    first, second = told
    assert 0 < first.done < second.done <= second.total == len(LOOKS) * len(SIZES)
    assert second.limits[0].outcomes[: len(first.limits[0].outcomes)] == first.limits[0].outcomes


def test_the_curve_that_made_outcomes_is_found_again():
    rng = np.random.default_rng(0)
    volumes = np.exp(rng.uniform(np.log(0.05), np.log(10), 4000))
    found = rng.random(4000) < 1 / (1 + np.exp(-(-0.5 + 1.5 * np.log(volumes))))
    curve = Psychometric.of(volumes, found)
    assert (curve.intercept, curve.slope) == pytest.approx((-0.5, 1.5), abs=0.15)
    assert curve.size_ml(0.5) == pytest.approx(np.exp(0.5 / 1.5), rel=0.1)
    assert curve.size_ml(0.8) == pytest.approx(np.exp((np.log(4) + 0.5) / 1.5), rel=0.1)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([False] * 4, NOT_REACHED),
        ([True] * 4, "below 0.1 ml"),
        ([True, True, False, False], NOT_REACHED),  # the larger, the less
    ],
)
def test_a_size_is_named_where_the_lesions_lie_on_both_sides_of_it(found, said):
    assert Psychometric.of(np.array([0.1, 0.5, 2.0, 6.0]), np.array(found)).said(0.5) == said


def test_a_sharp_end_lies_between_the_largest_missed_and_the_smallest_found():
    curve = Psychometric.of(np.array([0.1, 0.5, 2.0, 6.0]), np.array([False, False, True, True]))
    assert 0.5 < curve.size_ml(0.5) <= curve.size_ml(0.8) < 2


def test_four_of_five_may_lie_beyond_the_largest_lesion():
    volumes, found = np.repeat([0.1, 1.0, 5.0], 10), np.array([False] * 10 + [True] * 3 + [False] * 7 + [True] * 6 + [False] * 4)
    curve = Psychometric.of(volumes, found)
    assert 1 < curve.size_ml(0.5) < 5
    assert curve.size_ml(0.8) is None
    assert curve.said(0.8) == NOT_REACHED


def of_volumes(found: dict[float, bool]) -> Limits:
    lesions = [PaintedLesion("mass", "20 % darker", volume, (0, 0, 0), 1.0) for volume in found]
    outcomes = tuple(Outcome(one, hit, False) for one, hit in zip(lesions, found.values(), strict=True))
    return Limits(NAME, 0.05, 1.5, 7, outcomes)


def test_the_sentence_counts_above_and_below_the_sizes_that_are_found():
    volumes = [0.06, 0.1, 0.15, 0.3, 0.5, 0.8, 1.5, 3.0, 6.0, 9.0]
    limits = of_volumes(dict(zip(volumes, [False, False, False, True, False, True, False, True, True, True], strict=True)))
    half, most = (limits.curve("20 % darker").size_ml(share) for share in (0.5, 0.8))
    above = sum(volume >= most for volume in volumes)
    assert limits.sentence() == (
        f"Voxel atlas (baseline): in this scan, at this threshold, it finds {above} of {above} dark lesions of 20 % contrast "
        f"above {most:.2g} ml; below {half:.2g} ml it finds 1 of {sum(volume < half for volume in volumes)}."
    )
    assert (
        of_volumes({0.1: False, 5.0: False})
        .sentence()
        .endswith("it finds 0 of 2 dark lesions of 20 % contrast from 0.1 to 5 ml; no size is found in four of five.")
    )
    assert (
        of_volumes({0.1: True, 5.0: True}).sentence().endswith("it finds 2 of 2 dark lesions of 20 % contrast from 0.1 to 5 ml.")
    )
    assert limits.sentence(LOST).endswith("no lesions of lost tissue could be painted into this scan.")


def test_the_table_has_a_row_a_size_and_what_of_it_was_found():
    said = lines(of_volumes({0.06: False, 0.1: True, 6.0: True}))
    assert (
        said[0] == "voxel_atlas: threshold 1.5, which 5 % of healthy voxels exceed; 7 parts of the untouched scan lie above it."
    )
    assert said[2].removeprefix(SIZES[0]).split() == ["0/0", "0/0", "1/2", "0/0", "0/0"]
    assert len(said) == 1 + 1 + len(SIZES) + 2 + 1


def test_the_command_writes_the_record_and_prints_the_table(
    brain_volume, tiny_checkpoint_folder, tiny_checkpoint, tmp_path, capsys
):
    path = tmp_path / "case.nii.gz"
    nib.save(nib.Nifti1Image(brain_volume.data, brain_volume.affine), path)
    arguments = ["limits", str(path), "--checkpoint", str(tiny_checkpoint_folder), "--scorers", NAME, "--rate", "0.1"]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    record = json.loads((tmp_path / "out" / "case_limits.json").read_text())
    assert record["checkpoint"] == {"name": tiny_checkpoint.name, "digest": tiny_checkpoint.digest}
    method = record["scorers"][NAME]
    assert (method["rate"], record["seed"], record["rules"]["sizes_ml"]) == (0.1, 0, list(EDGES_ML))
    assert method["sentence"] in printed
    assert sum(row["count"] for row in method["table"]) == len(record["lesions"]) > 100
    assert sum(row["found"] for row in method["table"]) == sum(one["found_by"] == [NAME] for one in record["lesions"])
    assert all(row["interval"][0] <= row["sensitivity"] <= row["interval"][1] for row in method["table"] if row["count"])
    assert str(tmp_path) not in json.dumps(record), "no path in what is handed on"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--scorers", "magic"], "There is no scorer magic; choose among"),
        (["--scorers", "kl"], "kl gives an image one value and has no map to find lesions in"),
        (["--rate", "0"], "A rate is a share of healthy voxels from 0.001 to 0.5; found 0."),
        (["--rate", "nan"], "found nan."),
        (["--seed", "-1"], "A seed is a whole number from 0 on; found -1."),
        (["--site", "none"], "none"),
        ([], "missing.nii.gz"),
    ],
)
def test_what_cannot_be_measured_is_one_sentence(arguments, message, tiny_checkpoint_folder, tmp_path, capsys):
    scan, out = str(tmp_path / "missing.nii.gz"), str(tmp_path / "out")
    assert main(["limits", scan, "--checkpoint", str(tiny_checkpoint_folder), "--out", out, *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) == 1
