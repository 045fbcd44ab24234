"""Several sessions on one server: what they see of each other, who waits for whom, and what is left when they have gone."""

import json
import os
import threading

import pytest

from tests.support.disks import begun_with
from tests.support.reader import Reader, Run
from tests.support.scans import scan_file
from tests.support.server import served
from tests.support.waiting import PATIENCE_SECONDS, until


def digests(run: Run) -> tuple[str, ...]:
    """Of the scan, its maps and its reconstruction, as the viewer was given them."""
    assert not run.errors
    shown = run.viewer
    return tuple(layer["digest"] for layer in [shown["scan"], *shown["layers"], shown["reconstruction"]])


def together(*works) -> None:
    threads = [threading.Thread(target=work, daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()


# The whole app


def test_two_readers_never_see_each_others_scan(address, brain_volume):
    with Reader(address) as first, Reader(address) as second:
        sample = digests(first.run())
        assert digests(second.run()) == sample
        own = digests(first.upload("DOE_JANE.nii", scan_file(brain_volume, 1.1)))
        assert not set(own) & set(sample)
        assert digests(second.run()) == sample
        assert not [element for _, element in second.last.elements if "DOE" in str(element)]
        other = digests(second.upload("ROE_RICHARD.nii", scan_file(brain_volume, 1.2)))
        assert not set(other) & set(own)
        for reader, mine, theirs in ((first, own, "ROE"), (second, other, "DOE")):
            for page in ("Toy lab", "Latent space", "Explore"):
                assert not reader.open(page).errors
                assert not [element for _, element in reader.last.elements if theirs in str(element)]
            assert digests(reader.last) == mine


def test_the_same_scan_of_two_readers_has_each_ones_own_name(address, brain_volume):
    with Reader(address) as first, Reader(address) as second:
        first.run(), second.run()
        content = scan_file(brain_volume, 1.2)  # which is registered already
        assert digests(first.upload("DOE_JANE.nii", content)) == digests(second.upload("mine.nii", content))
        assert not [element for _, element in second.last.elements if "DOE" in str(element)]


def test_scans_that_are_computed_at_once_are_what_each_is_alone(address, brain_volume):
    files = [scan_file(brain_volume, gain) for gain in (1.4, 1.5, 1.6)]
    with Reader(address) as reader:
        reader.run()
        alone = [digests(reader.upload("scan.nii", file)) for file in files]
        assert len(set(alone)) == 3
        reader.upload("scan.nii", scan_file(brain_volume, 1.2))  # what is closed is forgotten, and computed anew below
    found: dict[int, tuple[str, ...]] = {}

    def read(number: int) -> None:
        with Reader(address) as one:
            one.run()
            found[number] = digests(one.upload("scan.nii", files[number % 3]))

    together(*(lambda number=number: read(number) for number in range(6)))
    assert found == {number: alone[number % 3] for number in range(6)}


# Work and what is held, on a page that tells


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("crowd")


@pytest.fixture(scope="module")
def crowd(place):
    """A server that computes for one page at once, and gives up a reader who has been gone for a second."""
    hasty = "import sys\nif 'streamlit' in ' '.join(sys.orig_argv):\n    from pages.shared.server import sessions\n"
    hasty += "    sessions.ABANDONED_SECONDS, sessions._LOOK_SECONDS = 1.0, 0.2\n"
    settings = {"OMP_NUM_THREADS": "1", "WORK_DONE": str(place / "done")} | begun_with(place / "begin", hasty)
    with served(script="tests/support/crowd_page.py", env=os.environ | settings) as address:
        yield address


def held(run: Run) -> dict:
    assert not run.errors
    return json.loads(run.all("text")[-1].body)


def done(place, who: str) -> int:
    """How many pieces of work were begun for somebody."""
    path = place / "done"
    return path.read_text().splitlines().count(who) if path.is_file() else 0


def ask_for(reader: Reader, who: str, pieces: int) -> None:
    reader.set("work", string_value=f"{who} {pieces}")
    reader.ask()


def test_others_wait_and_are_told_so(crowd, place):
    with Reader(crowd) as first, Reader(crowd) as second, Reader(crowd) as third:
        for reader in (first, second, third):
            reader.run()
        ask_for(first, "first", 30)
        until(lambda: done(place, "first") > 2)
        ask_for(second, "second", 2)
        second.told()
        ask_for(third, "third", 2)
        assert "Another scan is being computed; yours is next." in second.drawn().sentences
        assert done(place, "first") == 30, "whose turn it is keeps it to the end"
        told = third.drawn().sentences
        assert told[0] == "2 other scans are computed before yours; it follows by itself."
        assert "Another scan is being computed; yours is next." in told
        assert not first.drawn().sentences


@pytest.mark.parametrize("leaves", [True, False], ids=["leaves", "asks for something else"])
def test_work_that_nobody_waits_for_any_more_is_not_done(crowd, place, leaves):
    who = f"gone {leaves}".replace(" ", "_")
    with Reader(crowd) as second:
        second.run()
        first = Reader(crowd)
        first.run()
        ask_for(first, who, 60)
        until(lambda: done(place, who) > 2)
        if leaves:
            first.close()
        else:
            ask_for(first, f"{who}_again", 1)
        ask_for(second, f"after_{who}", 1)
        assert not second.drawn().errors
        assert done(place, who) < 40
        known = done(place, who)
        assert not second.run().errors
        assert done(place, who) == known
        first.close()


def test_whoever_leaves_the_line_frees_its_place(crowd, place):
    with Reader(crowd) as first, Reader(crowd) as third:
        first.run(), third.run()
        second = Reader(crowd)
        second.run()
        ask_for(first, "busy", 20)
        until(lambda: done(place, "busy") > 2)
        ask_for(second, "never", 5)
        second.told()
        second.close()
        ask_for(third, "last", 1)
        assert not third.drawn().errors
        assert done(place, "last") == 1
        assert done(place, "never") == 0


def test_nothing_of_a_reader_who_left_is_held(crowd, brain_volume):
    with Reader(crowd) as stays:
        stays.run()
        until(lambda: held(stays.run())["sessions"] == 1)  # those of other tests have gone
        leaves = Reader(crowd)
        leaves.run()
        scan = held(leaves.upload("scan.nii", scan_file(brain_volume, 1.8)))["scan"]
        seen = held(stays.run())
        assert scan in seen["keys"]
        assert (seen["files"], seen["sessions"]) == (1, 2)
        leaves.close()
        until(lambda: held(stays.run())["sessions"] == 1)
        seen = held(stays.run())
        assert seen["files"] == 0
        assert scan not in seen["keys"]


def test_what_callbacks_of_the_last_reader_held_goes_without_another_reader(crowd, place):
    with Reader(crowd) as last:
        last.run(), last.run()
    assert done(place, "seen") > 1
    until(lambda: done(place, "let_go") == done(place, "seen"))


def test_of_many_uploads_the_last_one_is_held(crowd, brain_volume):
    with Reader(crowd, tidy=False) as reader:
        reader.run()
        for number in range(4):
            seen = held(reader.upload(f"{number}.nii", scan_file(brain_volume, 2 + number)))
        assert seen["files"] == 1
        assert seen["keys"].count("'uploaded'") == 1
        assert seen["scan"] in seen["keys"]
