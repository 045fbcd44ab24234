"""Commands that write results, killed while they do."""

import pytest

from tests.support.killed_writers import kill_writer


@pytest.mark.parametrize("name", ["score", "evaluate"])
def test_a_killed_writer_leaves_what_was_there_or_what_it_made_and_is_given_again(name, tmp_path):
    """`python -m tests.support.faults 20` does the same, longer, and with reports, publishing and studies."""
    assert kill_writer(name, 1, tmp_path) == []
