"""How many healthy scans a site needs, and what is said of it."""

import numpy as np
import pytest

from vaead_core.checkpoints.calibration import RATES
from vaead_core.experiments import site_calibration
from vaead_core.experiments.report import site_calibration as report
from vaead_core.experiments.site_calibration import SiteBrain, SitePart
from vaead_core.pipeline.scoring import PreparedScan, score


def brain(at: int, middle: float, healthy: bool = True, scorer: str = "residual", scale: str = "healthy") -> SiteBrain:
    """One whose map is uniform over 1 about `middle`."""
    values = np.linspace(middle - 0.5, middle + 0.5, 1001).tolist()
    return SiteBrain(scorer, scale, "there", f"s{at}", healthy, values, [0.1, 0.3, 0.5], "model", 0)


def test_thresholds_of_the_others_mark_what_their_quantiles_say():
    rows = [brain(at, 1.0) for at in range(4)] + [brain(4, 1.1, healthy=False)]
    table = site_calibration.table("site_calibration", rows).set_index(["scans", "threshold"])
    assert sorted(set(table.index.get_level_values("scans"))) == [0, 1, 2, 3], "five would leave none to judge"
    assert table.loc[(0, 0.05), ["median", "p90", "subject_count"]].tolist() == pytest.approx([0.3, 0.3, 5])
    for count in (1, 2, 3):
        for rate in RATES:
            row = table.loc[(count, rate)]
            assert row["subject_count"] == 5 - count
            shares = [rate] * (4 - count) + [rate + 0.1]
            assert row["median"] == pytest.approx(np.median(shares), abs=0.002)
            assert row["p90"] == pytest.approx(np.quantile(shares, 0.9), abs=0.002)
            assert row["low"] == pytest.approx(row["high"], abs=1e-9), "any draw is as good as another"


def test_more_scans_are_surer_and_a_seed_repeats():
    rows = [brain(at, middle, at < 13) for at, middle in enumerate(np.random.default_rng(3).normal(1, 0.1, 43))]
    table, again = (site_calibration.table("site_calibration", rows) for _ in range(2))
    assert table.equals(again)
    mine = table[table["threshold"] == 0.05].set_index("scans")
    assert mine.loc[12, "high"] - mine.loc[12, "low"] < 0.5 * (mine.loc[1, "high"] - mine.loc[1, "low"])


def test_only_healthy_people_calibrate(tmp_path):
    (tmp_path / "participants.tsv").write_text("participant_id\tgroup\nsub-1\tdepr\nsub-2\tcontrol\nsub-3\t\n")
    for name in ("sub-1", "sub-2", "sub-3"):
        (tmp_path / f"{name}_T1w.nii.gz").touch()
    parts = site_calibration.parts_of("model", str(tmp_path), 0, ("residual",), None)
    assert [(part.subject, part.healthy) for part in parts] == [
        ("sub-2_T1w", True), ("sub-1_T1w", False), ("sub-3_T1w", False),
    ]  # fmt: skip
    assert len(site_calibration.parts_of("model", str(tmp_path), 0, ("residual",), 2)) == 2


def test_a_part_holds_the_map_on_both_scales_and_what_the_shipped_threshold_marks(
    tiny_checkpoint_folder, tiny_checkpoint, tiny_cohort
):
    [subject] = tiny_checkpoint.provenance.source.subjects["test"]
    part = SitePart(str(tiny_checkpoint_folder), "synthetic:4", subject, 0, ("voxel_atlas", "residual"), True)
    found = {(one.scorer, one.scale): one for one in part.measure()}
    assert set(found) == {(name, scale) for name in ("voxel_atlas", "residual") for scale in ("healthy", "scan")}
    slices = tiny_cohort.test.slices[tiny_cohort.test.subject == 0]
    for (name, scale), one in found.items():
        scored = score(PreparedScan(None, slices), tiny_checkpoint, name, scale)
        values = np.abs(scored.maps)[slices.mask]
        if scale == "healthy":
            np.testing.assert_allclose(one.quantiles, np.quantile(values, np.linspace(0, 1, 1001)), rtol=1e-3, atol=1e-4)
        shares = [(values > threshold).mean() for threshold in scored.thresholds.values()]
        np.testing.assert_allclose(one.shipped, shares, atol=0.003)


@pytest.fixture(scope="module")
def tables():
    rows = [brain(at, 1.0, scorer=name, scale=scale) for at in range(7) for name in ("residual", "voxel_atlas")
            for scale in ("healthy", "scan")]  # fmt: skip
    return {"site_calibration": site_calibration.table("site_calibration", rows)}


def test_the_report_says_what_five_scans_come_to(tables):
    said = report.reading(tables)
    assert "On healthy brains' scale, thresholds of 5 healthy scans that should mark 5 % mark 5.0 to 5.0 %" in said
    assert "those of the training site mark 30.0 to 30.0 %. 2 of 2 maps are within 3 to 7 %." in said
    assert "| Residual | this scan's scale | there | 30.0 | 5.0 |" in said


def test_the_figure_has_the_median_its_spread_and_the_tail_of_both_scales(tables):
    figure = report.curve_figure(tables["site_calibration"], "residual", "there")
    lines = [trace for trace in figure["data"] if "error_y" in trace]
    assert [trace["name"] for trace in lines] == ["healthy brains' scale", "this scan's scale"]
    for trace in lines:
        assert trace["x"] == ["none", "1", "2", "3", "5"]
        assert trace["y"] == pytest.approx([30, 5, 5, 5, 5], abs=0.2)
    assert len(figure["data"]) == 4
