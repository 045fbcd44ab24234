"""Brains as another scanner shows them, and what is said of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vaead_core.checkpoints.calibration import RATES
from vaead_core.cohorts.synthetic import synthetic_brain
from vaead_core.experiments import shift
from vaead_core.experiments.report import shift as report
from vaead_core.experiments.scanner_changes import AS_IT_IS, CHANGES, changed
from vaead_core.experiments.shift import Shifted, ShiftPart


@pytest.fixture(scope="module")
def brain():
    return synthetic_brain(3, 0, 40.0)


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_a_change_repeats_and_leaves_the_brain_where_it_is_in_the_array(change, brain):
    one, again = changed(brain, change), changed(brain, change)
    np.testing.assert_array_equal(one.data, again.data)
    np.testing.assert_array_equal(one.mask, brain.mask)
    assert not one.data[~brain.mask].any()
    assert (change == AS_IT_IS) == (one is brain)


def test_changes_are_as_large_as_they_are_called(brain):
    inside = brain.mask
    ratio = (changed(brain, "field of 60 %").data / np.where(inside, brain.data, 1))[inside & (brain.data > 10)]
    assert ratio.max() / ratio.min() == pytest.approx(1.6, abs=0.25)
    noise = (changed(brain, "noise of 5 %").data - brain.data)[inside]
    assert noise.std() == pytest.approx(0.05 * brain.data[inside].mean(), rel=0.1)
    blurred = changed(brain, "blur 3 mm")
    assert blurred.data[inside].mean() == pytest.approx(brain.data[inside].mean(), rel=0.02)
    assert blurred.data[inside].std() < 0.95 * brain.data[inside].std()
    turn = changed(brain, "turned by 12°").affine[:3, :3] @ np.linalg.inv(brain.affine[:3, :3])
    assert np.degrees(np.arccos((np.trace(turn) - 1) / 2)) == pytest.approx(12)
    for gamma in (0.7, 1.4):
        bent = changed(brain, f"gamma {gamma}")
        bright = np.quantile(brain.data[inside], 0.995)
        np.testing.assert_allclose(bent.data[inside] / bright, (brain.data[inside] / bright) ** gamma, rtol=1e-4, atol=1e-5)


def test_a_part_measures_each_scale_and_rate_and_the_lesions(tiny_checkpoint_folder, tiny_checkpoint):
    (subject,) = tiny_checkpoint.provenance.source.subjects["test"]
    part = ShiftPart(str(tiny_checkpoint_folder), "synthetic:4", subject, "gamma 0.7", 0, ("voxel_atlas",), lesions=True)
    found = part.measure()
    marked = {(one.scale, one.threshold): one.value for one in found if one.measure == "marked"}
    assert set(marked) == {(scale, rate) for scale in shift.SCALES for rate in RATES}
    for scale in shift.SCALES:
        assert 0 < marked[scale, 0.01] < marked[scale, 0.05] < marked[scale, 0.1] < 0.3
    lesions = [one for one in found if one.measure == "ap"]
    assert {one.change for one in lesions} == {f"{kind} {name}" for kind, name in shift.LESIONS.items()}
    for kind in {one.change for one in lesions}:
        first, second = (one.value for one in lesions if one.change == kind)
        assert first == second, "a scale does not change ranks"
    assert np.mean([one.value for one in lesions]) > 3 * np.mean([one.chance for one in lesions])


def test_the_table_tells_median_and_tail_over_subjects():
    shares = np.linspace(0.01, 0.11, 11)
    rows = [
        Shifted("marked", "residual", "scan", 0.05, "there", True, AS_IT_IS, f"s{at}", share, 0.05, "model", 0)
        for at, share in enumerate(shares)
    ]
    rows += [
        Shifted("ap", "residual", "scan", np.nan, "there", True, kind, "s0", ap, 0.01, "model", 0)
        for kind, ap in (("mass", 0.4), ("cortical", 0.2))
    ]
    found = shift.table("shift", rows).set_index(["measure", "change"])
    marked = found.loc[("marked", AS_IT_IS)]
    assert marked[["median", "p90", "subject_count"]].tolist() == pytest.approx([0.06, 0.1, 11])
    assert found.loc[("ap", "every lesion"), "mean"] == pytest.approx(0.3)
    assert set(found.reset_index()["change"]) == {AS_IT_IS, "mass", "cortical", "every lesion"}


def measured(site: str, change: str, shares: list[float], scale: str, scorer: str = "voxel_atlas") -> list[Shifted]:
    return [
        Shifted("marked", scorer, scale, 0.05, site, site != "ixi", change, f"s{i}", one, 0.05, "model", 0)
        for i, one in enumerate(shares)
    ]


@pytest.fixture
def tables():
    rows = measured("ixi", AS_IT_IS, [0.05, 0.05], "scan") + measured("ixi", AS_IT_IS, [0.06, 0.06], "healthy")
    rows += measured("elsewhere", AS_IT_IS, [0.04, 0.06, 0.08], "scan") + measured(
        "elsewhere", AS_IT_IS, [0.2, 0.3, 0.4], "healthy"
    )
    rows += measured("elsewhere", AS_IT_IS, [0.04, 0.06, 0.2], "scan", "residual")
    rows += measured("elsewhere", AS_IT_IS, [0.2, 0.3, 0.4], "healthy", "residual")
    rows += [Shifted("ap", "voxel_atlas", "scan", np.nan, "elsewhere", True, "mass 20% darker", "s0", 0.4, 0.01, "model", 0)]
    return {"shift": shift.table("shift", rows)}


def test_the_report_says_which_thresholds_travel(tables):
    said = report.reading(tables)
    assert "marks 6.0 to 6.0 % (median over people) on the scan's own scale, and 30.0 to 30.0 % on the healthy brains'" in said
    assert "nine people of ten at most 9 %: Voxel atlas (baseline)." in said
    table = report.by_method(tables["shift"]).set_index(["Method", "Scanner"])
    there = table.loc[("Voxel atlas (baseline)", "elsewhere")]
    assert there[["People", "Marked, %", "AP of painted lesions", "Chance"]].tolist() == pytest.approx([3, 6, 0.4, 0.01])


def test_a_cohort_of_several_scanners_is_told_apart_by_its_people(tmp_path, monkeypatch, tiny_checkpoint):
    for folder, people in (("ixi", "ab"), ("ds002748", "cd"), ("both", "abcd"), ("mine", "e")):
        (tmp_path / folder).mkdir()
        for name in people:
            (tmp_path / folder / f"{name}.nii.gz").touch()
    monkeypatch.setenv("VAEAD_DATA", str(tmp_path))
    shift._people.cache_clear()
    both, mine, ixi = (str(tmp_path / name) for name in ("both", "mine", "ixi"))
    assert [shift.site_of(both, name) for name in "abcd"] == ["ixi", "ixi", "ds002748", "ds002748"]
    assert shift.site_of(mine, "e") == "mine"
    for own, people, others in ((mine, "e", ["ixi", "ds002748"]), (ixi, "a", ["ds002748"]), (both, "ad", [])):
        seen = replace(tiny_checkpoint.provenance.source, subjects={"train": tuple(people)})
        checkpoint = replace(tiny_checkpoint, provenance=replace(tiny_checkpoint.provenance, source=seen))
        assert [Path(site).name for site in shift.other_sites(own, checkpoint)] == others
