"""The thesis's numbers, each beside ours."""

from __future__ import annotations

from dataclasses import dataclass

from vaead_core.errors import InputError
from vaead_core.experiments.report.tables import Number, Tables, best_detector, chosen_detector, label, number, select
from vaead_core.experiments.report.thesis import DETECTORS, Claim


@dataclass(frozen=True)
class Beside:
    """A number of the thesis and ours. name: of the score. data: dataset or class. note: which detector, where one is meant."""

    claim: Claim
    ours: Number
    name: str
    data: str
    note: str


def beside(claim: Claim, tables: Tables) -> Beside:
    """Ours for `claim`; a detector is the one chosen on validation, with the one that is best on test in the note.

    Raises InputError where the table lacks it.
    """
    note, everything = "", tables[claim.experiment]
    rows = everything[(everything["dataset"] == claim.dataset) & (everything["combination"] == claim.combination)]
    if claim.score == DETECTORS:
        chosen = chosen_detector(tables, claim.experiment, claim.dataset)
        best = best_detector(everything, claim.dataset)
        ours = number(select(rows, claim.task, *chosen))
        after = number(select(rows, claim.task, *best))
        name = "outlier detector"
        note = f"theirs: {claim.note}; ours: {label(*chosen)}; best on test: {label(*best)} {after}"
    else:
        ours = number(select(rows, claim.task, claim.score, masked=claim.masked))
        name = label(claim.score, masked=claim.masked)
    if ours is None:
        raise InputError(f"The recorded table of {claim.experiment} lacks {name} on {claim.dataset}; run evaluate again.")
    return Beside(claim, ours, name, claim.combination if claim.experiment == "fashion" else claim.dataset, note)
