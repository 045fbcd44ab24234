"""Verdicts on the clusters of a study's scans: precision by method, and the table that is saved and read again."""

import math
from dataclasses import replace

import pytest

from vaead_core.errors import InputError
from vaead_core.measures.components import Cluster
from vaead_core.pipeline.findings import COLUMNS, Finding, Verdict, findings_tsv
from vaead_core.study import verdicts
from vaead_core.study.verdicts import Judged, of_study, precisions, read_verdicts, verdicts_tsv

PLACE = (-118.0, 100.0, 90.0)  # midline grey matter of the atlas


def judged(scan: str, said: str, at: int = 0, method: str = "residual", threshold: float = 0.25, comment: str = "") -> Judged:
    cluster = Cluster(1.5, 0.75, (at, 2, 3), (-20.0, 100.25, 90.0))
    return Judged(scan, f"sha-of-{scan}", method, "tiny", threshold, Finding(cluster, PLACE, Verdict(said, comment)))


def of_people(*said: str) -> tuple[list[Judged], dict[str, str]]:
    """Each one's verdicts, by their first letters, in a scan of his."""
    full = {"a": "accept", "r": "reject", "u": "unsure"}
    all_of_them = [judged(f"s{who}", full[one], at) for who, letters in enumerate(said) for at, one in enumerate(letters)]
    return all_of_them, {f"s{who}": f"p{who}" for who in range(len(said))}


def test_precision_is_the_accepted_share_of_those_accepted_or_rejected():
    (found,) = precisions(*of_people("aaru", "r", "u"))
    assert (found.scans, found.clusters) == (3, 6)
    assert (found.accepted, found.rejected, found.unsure) == (2, 2, 2)
    assert found.value == 0.5
    assert found.people == 2, "nothing was decided of the third"
    assert math.isnan(precisions(*of_people("u"))[0].value)


def test_an_interval_is_over_people_and_needs_five():
    (four,) = precisions(*of_people("a", "r", "a", "r", "uu"))
    assert four.few
    assert all(map(math.isnan, four.interval))
    (alike,) = precisions(*of_people(*["aaar"] * 5))
    assert alike.interval == (0.75, 0.75), "whoever is drawn, three of four are accepted"
    (found,) = precisions(*of_people("a" * 30, "r", "r", "r", "r"))
    assert found.value == pytest.approx(30 / 34)
    assert found.interval[0] == 0, "without the first, no cluster is accepted; over clusters this would be narrow"
    scans, people = of_people("a", "r", "a", "r", "a")
    (two_scans,) = precisions(scans, people | {"s1": "p0"})
    assert two_scans.people == 4, "two scans of one person are one"


def test_methods_are_apart_with_the_thresholds_that_their_clusters_were_found_above():
    both = [judged("s", "accept"), judged("s", "reject", 1, threshold=0.5), judged("s", "accept", method="elbo")]
    elbo, residual = precisions([*both, judged("s", "", 2, comment="seen")], {"s": "p"})
    assert (elbo.method, elbo.thresholds, elbo.value) == ("elbo", (0.25, 0.25), 1)
    assert (residual.thresholds, residual.value, residual.clusters) == ((0.25, 0.5), 0.5, 2)
    assert residual.checkpoints == ("tiny",)
    assert precisions([], {}) == []


def test_a_table_that_was_saved_is_read_again_with_the_columns_of_findings():
    all_of_them = [judged("sub-01", "accept", comment="near\ta *vessel*"), judged("sub-02_run-1", "", 7, comment="later")]
    saved = verdicts_tsv(all_of_them)
    header, first, _ = (line.split("\t") for line in saved.splitlines())
    assert tuple(header[-len(COLUMNS) :]) == COLUMNS
    assert first[-len(COLUMNS) :] == findings_tsv([all_of_them[0].finding]).splitlines()[1].split("\t")
    again = read_verdicts(saved.encode())
    assert again[0].finding.verdict == Verdict("accept", "near a *vessel*")
    assert again[1] == all_of_them[1]
    assert read_verdicts(saved.replace("\n", "\r\n").encode("utf-8-sig")) == again, "as another program saves it"
    assert read_verdicts(verdicts_tsv([]).encode()) == []


@pytest.mark.parametrize(
    ("column", "cell", "sentence"),
    [
        (
            "verdict",
            "perhaps",
            "Line 2 of these verdicts cannot be read: its verdict is none of accept, reject, unsure; repair it",
        ),
        ("volume_ml", "nan", "its volume_ml is no number"),
        ("atlas_x", "1e300", "its atlas_x is no number"),
        ("voxel_k", "", "its voxel_k is no number"),
        ("threshold", "0x5", "its threshold is no number"),
        ("comment", "a" * 201, "comment has more than 200 signs"),
        ("region", "one\tmore", "it has 22 cells where there are 21 columns"),
    ],
)
def test_a_cell_that_is_none_is_one_sentence(column, cell, sentence):
    header, row = verdicts_tsv([judged("sub-01", "accept")]).splitlines()
    cells = row.split("\t")
    cells[header.split("\t").index(column)] = cell
    with pytest.raises(InputError, match=sentence):
        read_verdicts("\n".join([header, "\t".join(cells)]).encode())


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "first line is not that of verdicts"),
        (b"\xff\xfe\x00", "is no text"),
        (findings_tsv([]).encode(), "first line is not that of verdicts; choose the table that the Cohort page gave"),
        (b"a" * (verdicts.MOST_BYTES + 1), "at most 1 MB"),
        (verdicts_tsv([judged("s", "accept"), judged("s", "reject")]).encode(), "Line 3 of these verdicts is of a cluster that"),
    ],
)
def test_a_file_that_is_none_is_one_sentence(content, sentence):
    with pytest.raises(InputError, match=sentence):
        read_verdicts(content)


def test_what_is_not_of_the_study_is_left_out_and_said():
    mine = judged("sub-01", "accept")
    unknown = replace(mine, content="")
    others = [
        judged("sub-09", "accept"),
        judged("sub-08\0", "reject"),
        judged("sub-02", "accept"),
        judged("sub-01", "accept", 1, "x"),
    ]
    kept, said = of_study([mine, unknown, *others], {"sub-01": mine.content, "sub-02": "another file"})
    assert kept == [mine, unknown]
    assert said == [
        "Left out of scans that are not here: 2 (sub-08?, sub-09).",
        "Left out of scans whose file is another now: 1 (sub-02).",
        "Left out by methods that are not here: 1 (x).",
    ]
