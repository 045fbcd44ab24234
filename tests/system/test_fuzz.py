"""A share of the nightly `python -m tests.fuzz 10000`."""

from tests.fuzz.run import fuzz


def test_120_damaged_or_hostile_files_are_used_or_refused_with_a_sentence(
    tiny_checkpoint_folder, brain_volume, tmp_path, monkeypatch
):
    monkeypatch.delenv("VAEAD_PLACEMENTS")  # no file may write anything
    tally = fuzz(120, tiny_checkpoint_folder, brain_volume, tmp_path)
    print(tally)
    assert tally.wrong == []
    assert tally.hangs == []
    assert tally.used > 18, "some damage must reach what follows the checks"
    assert tally.refused > 78
    assert tally.megabytes < 1000
