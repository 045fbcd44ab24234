"""A study's rows: those that a reader asks for, in his order, and the columns that he sees of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from pages.shared.cached.cohort import Table
from vaead_core.study.group import column, title_of

NOTES, FILE, PICTURE = "(notes)", "(file)", "(picture)"  # columns of the page alone, called as none of participants.tsv is
_SHOWN = {"score": "score", "percentile": "percentile", "volume": "mL marked", "largest_cluster": "largest cluster"}
_FIRST_THEIRS = 3
_PICTURE_PIXELS = 470


def chosen(
    frame: pd.DataFrame,
    words: str = "",
    states: Sequence[str] = (),
    flagged: bool = False,
    by: str | None = None,
    values: Sequence[str] = (),
) -> pd.DataFrame:
    """The rows that hold all `words` somewhere, are in one of `states` and have one of `values` in column `by`.

    flagged: those alone of which something is to be said.
    """  # fmt: skip
    kept = pd.Series(True, index=frame.index)
    if words.split():
        lines = [" ".join(str(value) for value in row if pd.notna(value)).lower() for row in frame.itertuples(index=False)]
        kept &= np.array([all(word in line for word in words.lower().split()) for line in lines], bool)
    if states:
        kept &= frame["state"].isin(states)
    if flagged:
        kept &= frame[NOTES].notna()
    if by and values:
        kept &= shown_values(frame[by]).isin(values)
    return frame[kept]


def shown_values(column: pd.Series) -> pd.Series:
    """As text, a whole number without its point.

    >>> shown_values(pd.Series([1.0, 2.5, None])).tolist()
    ['1', '2.5', 'not known']
    """
    return column.map(lambda value: "not known" if pd.isna(value) else f"{value:g}" if isinstance(value, float) else str(value))


def with_notes(table: Table, files: dict[str, str]) -> pd.DataFrame:
    """Why a scan has no maps, or what is to be said beside them, in one column; files: by the column `scan`."""
    frame = table.frame.copy()
    frame[NOTES] = frame["sentence"].fillna(frame["cautions"])
    if files:
        frame.insert(1, FILE, frame["scan"].map(files))
    return frame


def map_methods(table: Table) -> list[str]:
    """Those that have maps."""
    return [name for name in table.group.methods if table.frame[column(name, "volume")].notna().any()]


def label(table: Table, name: str) -> str:
    """A column's name on screen."""
    for method in table.group.methods:
        for part, said in _SHOWN.items():
            if name == column(method, part):
                return f"{title_of(method)}: {said}"
    return name if name in table.group.theirs else name.strip("()").removesuffix("_id").replace("_", " ").capitalize()


def first_columns(table: Table, frame: pd.DataFrame, method: str) -> list[str]:
    """What is shown before anybody chooses."""
    files = [FILE] if FILE in frame else []
    methods = [method] if method else list(table.group.methods)
    of_methods = [column(one, part) for one in methods for part in ("percentile", "volume")[: 2 if method else 1]]
    state = ["state"] if frame["state"].nunique() > 1 else []
    return ["scan", *files, *state, *table.group.theirs[:_FIRST_THEIRS], *of_methods, "distance", NOTES]


def config(table: Table, names: list[str], method: str) -> dict[str, Any]:
    """How each column is shown: its name, what it is, numbers in four digits. method: whose columns need not say so."""
    found: dict[str, Any] = {PICTURE: st.column_config.ImageColumn("Map over the scan", width=_PICTURE_PIXELS)}
    for name in names:
        about = table.group.columns.get(name, {})
        unit = f" In {about['Units']}." if about.get("Units") else ""
        said = label(table, name)
        said = said.rpartition(": ")[2].capitalize() if method and name.startswith(f"{method}_") else said
        help_text = f"{about.get('Description', '')}{unit}".strip() or None
        if name in table.frame and pd.api.types.is_numeric_dtype(table.frame[name]):
            found[name] = st.column_config.NumberColumn(said, help=help_text, format="%.4g")
        else:
            found[name] = st.column_config.TextColumn(said, help=help_text, width="large" if name == NOTES else None)
    return found
