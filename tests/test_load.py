"""What the load's program says of readers beside a hostile one."""

from collections import Counter

import pytest

from benchmarks.load import Tally
from benchmarks.load_report import compared, slower

QUIET = {"page switch": [1.0, 2.0, 9.0], "upload": [4.0, 4.0]}


def test_medians_that_at_most_double_are_no_fault():
    assert slower(QUIET, {"page switch": [4.0, 4.0, 90.0], "upload": [1.0], "first page": [1.0]}) == []


@pytest.mark.parametrize(
    ("after", "said"),
    [
        ({"page switch": [1.0, 4.1, 9.0], "upload": [4.0]}, "page switch: the median is 2.05 times that without"),
        ({"page switch": [2.0]}, "upload: nobody came to it any more"),
    ],
)
def test_a_median_that_more_than_doubles_is_a_fault_and_so_is_an_act_that_nobody_comes_to(after, said):
    assert slower(QUIET, after) == [said]


def test_the_table_has_medians_of_both_memory_what_the_hostile_one_was_told_and_all_faults():
    quiet, beside = Tally(faults=["an error"]), Tally(faults=["another"])
    quiet.seconds["upload"], beside.seconds["upload"] = [2.0, 4.0], [5.0]
    told = compared((quiet, {"at most": 800.0}), (beside, {"at most": 1600.0}), Counter({("bomb", "Too large."): 3}))
    assert "| upload | 2 | 3.00 | 1 | 5.00 | 5.00 | 1.67 |" in told
    assert "| at most | 800 | 1600 |" in told
    assert "| bomb | Too large. | 3 |" in told
    assert told.endswith("- without: an error\n- another\n")
