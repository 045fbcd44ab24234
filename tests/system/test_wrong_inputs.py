"""Files spoilt as labs spoil them: none is taken in silence. `python -m benchmarks.wrong_inputs` has all of them."""

from functools import lru_cache

import pytest

from benchmarks import wrong_inputs
from tests.support.poses import ixi_brain, untouched


@lru_cache(maxsize=1)
def made() -> dict:
    return dict(wrong_inputs.inputs(ixi_brain()))


@pytest.mark.parametrize(
    ("name", "outcome", "word"),
    [
        ("no qform and no sform, stored PSR", "said", "the header says nothing of them"),
        ("the brain's mask", "refused", "one constant value|could not be brought to the atlas"),
        ("scaled to mean 0", "said", "both sides"),
        ("a cut-off file", "refused", "damaged or cut-off"),
        ("two volumes in one", "refused", "save one of its volumes"),
        ("60 mm aside", "right", ""),
    ],
)
def test_a_spoilt_file_is_placed_rightly_or_said_or_refused(name, outcome, word):
    row = wrong_inputs.measured(name, made()[name](), untouched())
    assert row.outcome == outcome
    assert any(part in row.sentence for part in word.split("|"))
    assert row.error_mm is None or row.error_mm < 1.5


def test_thirty_inputs_are_tried():
    assert len(made()) >= 30
