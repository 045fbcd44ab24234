"""Every test has a lane, and does no more than its lane allows."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
LANES = {"fast", "browser", "system"}


def test_every_test_has_one_lane(request):
    lanes = [LANES & {mark.name for mark in item.iter_markers()} for item in request.session.items]
    assert [len(lane) for lane in lanes] == [1] * len(lanes)


@pytest.mark.parametrize("path", sorted(TESTS.glob("test_*.py")), ids=lambda path: path.stem)
def test_a_fast_test_starts_no_server_no_browser_and_no_training(path):
    found = re.findall(r"^from (playwright|tests\.support\.\w+|training\.run) import (.+)$", path.read_text(), re.MULTILINE)
    slow = {"served", "serve", "Reader", "sync_playwright", "expect", "cluster", "dask", "scheduler", "train", "kill_often"}
    assert not {name.strip() for _, names in found for name in names.split(",")} & slow


def test_only_folders_of_a_lane_hold_tests():
    assert {path.parent.relative_to(TESTS).as_posix() for path in TESTS.rglob("test_*.py")} == {".", "browser", "system"}
