"""The thesis's numbers, each beside ours."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import pandas as pd

from vaead_core.errors import InputError
from vaead_core.experiments.report.tables import Number, Tables, best_detector, chosen_detector, label, number, select
from vaead_core.experiments.report.thesis import DETECTORS, Claim

LITERAL = {"slices": "thesis"}  # the experiment that repeats one of ours on a network of the thesis's own settings


_LITERALLY = ["Literally", "2.5 % literally", "97.5 % literally", "Chance literally"]


@dataclass(frozen=True)
class Beside:
    """A number of the thesis and ours. literal: of a network trained as the thesis's was; None where none is recorded.

    name: of the score. data: dataset or class. note: which detector, where one is meant.
    """

    claim: Claim
    ours: Number
    literal: Number | None
    name: str
    data: str
    note: str


def beside(claim: Claim, tables: Tables) -> Beside:
    """Ours for `claim`; a detector is the one chosen on validation, with the one that is best on test in the note.

    Raises InputError where the table lacks it.
    """
    ours, name, note = _found(claim, tables, claim.experiment)
    literal = None
    if (repeated := LITERAL.get(claim.experiment)) in tables:
        literal, _, of_literal = _found(claim, tables, repeated)
        note += f"; literally: {of_literal}" if of_literal else ""
    if claim.score == DETECTORS:
        note = f"theirs: {claim.note}; ours: {note}"
    return Beside(claim, ours, literal, name, claim.combination if claim.experiment == "fashion" else claim.dataset, note)


def _found(claim: Claim, tables: Tables, experiment: str) -> tuple[Number, str, str]:
    """A number of an experiment for `claim`, the name of its score, and which detector it is of, where one is meant."""
    note, everything = "", tables[experiment]
    rows = everything[(everything["dataset"] == claim.dataset) & (everything["combination"] == claim.combination)]
    if claim.score == DETECTORS:
        chosen = chosen_detector(tables, experiment, claim.dataset)
        best = best_detector(everything, claim.dataset)
        found = number(select(rows, claim.task, *chosen))
        name = "outlier detector"
        note = f"{label(*chosen)}; best on test: {label(*best)} {number(select(rows, claim.task, *best))}"
    else:
        found = number(select(rows, claim.task, claim.score, masked=claim.masked))
        name = label(claim.score, masked=claim.masked)
    if found is None:
        raise InputError(f"The recorded table of {experiment} lacks {name} on {claim.dataset}; run evaluate again.")
    return found, name, note


def thesis_table(pairs: list[Beside]) -> pd.DataFrame:
    """One row a number of the thesis; the last column tells which detectors are compared."""
    columns = ["Task", "Score", "Data", "Thesis", "Ours", "2.5 %", "97.5 %", "Chance", *_LITERALLY, "Detectors"]
    rows = []
    for one in pairs:
        numbers = [value for found in (one.ours, one.literal) for value in (astuple(found) if found else (None,) * 4)]
        rows.append((one.claim.task, one.name, one.data, one.claim.value, *numbers, one.note))
    table = pd.DataFrame(rows, columns=columns)
    return table if any(one.literal for one in pairs) else table.drop(columns=_LITERALLY)
