"""What is foretold of lesions beside what is found of them: how the benchmark counts, and what it recorded."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import limits
from vaead_core.experiments.records import ALL
from vaead_core.pipeline.limits.lesion_scans import APART_MM, EDGES_ML, SIZES
from vaead_core.pipeline.scoring import prepare

DOCS = Path(__file__).resolve().parents[1] / "docs" / "methods.md"


def lesions(part: str, subject: str, found: int, of: int, cell: float, curve: float) -> pd.DataFrame:
    rows = {"part": part, "scorer": "s", "subject": subject, "look": "x", "size": SIZES[0], "volume_ml": 0.1}
    return pd.DataFrame({**rows, "found": [at < found for at in range(of)], "chance": False, "cell": cell, "curve": curve})


def test_shares_are_over_all_lesions_and_the_way_that_differs_less_on_validation_is_taken():
    one, other = lesions("validation", "a", 3, 10, 0.5, 0.4), lesions("validation", "b", 5, 10, 0.5, 0.4)
    known = limits.table(pd.concat([one, other, lesions("test", "c", 9, 10, 0.9, 0.1)]))
    together = known[(known["subject"] == ALL) & (known["part"] == "validation")].set_index("way")
    assert together.loc["cell", ["count", "predicted", "measured", "difference"]].tolist() == [20, 0.5, 0.4, 0.1]
    assert together.loc["curve", "difference"] == 0
    assert limits.chosen_way(known) == "curve", "though it differs more on the test"


def test_a_lesion_of_a_cell_that_was_not_painted_is_left_out_of_that_way_alone():
    known = limits.table(lesions("test", "c", 9, 10, np.nan, 0.9))
    assert set(known["way"]) == {"curve"}


def test_measured_lesions_lie_apart_and_have_the_sizes_that_were_asked_for(brain_volume, tiny_checkpoint):
    prepared = prepare(brain_volume, tiny_checkpoint)
    scans = list(limits.scans(prepared, tiny_checkpoint.preprocessor, 0, 1))
    assert sum(len(scan.lesions) for scan in scans) > 15
    for scan in scans:
        assert len(scan.lesions) <= limits.TOGETHER
        counts = np.bincount(scan.labels.ravel(), minlength=len(scan.lesions) + 1)[1:]
        assert counts * 8 / 1000 == pytest.approx([one.volume_ml for one in scan.lesions])
        assert all(EDGES_ML[0] <= one.volume_ml < EDGES_ML[-1] for one in scan.lesions)
        assert not ((scan.slices.pixels != prepared.slices.pixels) & ~prepared.slices.mask).any()
        for at, one in enumerate(scan.lesions):
            for other in scan.lesions[at + 1 :]:
                assert 2 * np.linalg.norm(np.subtract(one.centre, other.centre)) >= APART_MM


def test_the_docs_say_what_was_recorded():
    known, docs = pd.read_csv(limits.RECORD), DOCS.read_text()
    way = limits.chosen_way(known)
    together = known[(known["way"] == way) & (known["subject"] == ALL) & (known["part"] == "test")]
    assert set(together["size"]) == set(SIZES)
    assert (together["difference"].abs() <= limits.BOUND).all()
    for row in together.itertuples():
        shares = f"| {row.size} | {row.predicted:.3f} | {row.measured:.3f} "
        assert shares in docs, shares
