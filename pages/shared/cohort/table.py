"""The Cohort page's table: filters, order, pages of rows with pictures, a file, and a scan that is chosen."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import pandas as pd
import streamlit as st

from pages.shared.cached import cohort as cached_cohort
from pages.shared.cached.cohort import Table
from pages.shared.cohort import own, rows
from pages.shared.cohort.opening import open_in_explore
from pages.shared.notices import plain, refuse
from vaead_core import scorers
from vaead_core.errors import InputError
from vaead_core.study.results import Results

ROWS = 10  # with pictures, which are sent with them
_ROW_PIXELS = 84
NO_PICTURES = "No method: all rows at once"
_KEPT: dict[str, Any] = {"persist_state": "session"}
state = st.session_state


def show(results: Results, table: Table) -> None:
    """The table as it was asked for, and what can be done with one of its scans."""
    key = f"cohort_{hashlib.blake2b(table.whose.encode(), digest_size=4).hexdigest()}"
    _open(results)
    files = {one.name.scan: said for one in results.study.scans if (said := own.called(one))}
    frame = rows.with_notes(table, files)
    titles = {name: rows.label(table, name) for name in frame.columns}
    found = _ordered(_filtered(frame, table, key), titles, key)
    method = _method(table, key)
    columns = _columns(titles, rows.first_columns(table, frame, method), f"{key}_columns_{method}")
    to_open = "Select a row to open its scan." if results.raw is not None else ""
    st.caption(plain(f"{_counted(found, frame, method)}{to_open} {_left_out(results)}"))
    if found.empty:
        st.info(plain(f"None of {len(frame)} scans is left by these filters; take one away."))
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        shown = _page(found, key) if method else found
        st.download_button(
            "CSV", lambda: found.drop(columns=rows.NOTES).rename(columns={rows.FILE: "file"}).to_csv(index=False), "cohort.csv",
            "text/csv", on_click="ignore", key=f"{key}_csv", icon=":material/download:", help="The rows that the filters leave.",
        )  # fmt: skip
    drawn = shown[columns]
    if method:
        drawn = drawn.assign(**{rows.PICTURE: shown["scan"].map(_pictures(results, table, shown, method))})
    order = [columns[0], rows.PICTURE, *columns[1:]] if method else columns
    which = hashlib.blake2b(repr([*shown["scan"], method]).encode(), digest_size=8).hexdigest()
    tall: dict[str, Any] = {"row_height": _ROW_PIXELS, "height": 40 + _ROW_PIXELS * min(len(shown), 6)} if method else {}
    picked = st.dataframe(
        drawn, hide_index=True, width="stretch", column_order=order, column_config=rows.config(table, columns, method),
        on_select="rerun", selection_mode="single-row", key=f"{key}_rows_{which}", placeholder="",
        alt="Scans of the study", **tall,
    )  # fmt: skip
    for at in picked["selection"]["rows"][:1]:
        _chosen(results, shown.iloc[at], method)


def _filtered(frame: pd.DataFrame, table: Table, key: str) -> pd.DataFrame:
    with st.sidebar:
        words = st.text_input("Search", placeholder="Any words of a row", key=f"{key}_words", **_KEPT)
        known = list(dict.fromkeys(frame["state"]))
        states = st.multiselect("State", known, key=f"{key}_states", **_KEPT) if len(known) > 1 else []
        by, values = None, []
        if theirs := list(table.group.theirs):
            first = theirs.index("group") if "group" in theirs else 0
            by = st.selectbox("Column of participants.tsv", theirs, first, key=f"{key}_by", **_KEPT)
            there = sorted(set(rows.shown_values(frame[by])))
            values = st.multiselect("Its values", there, key=f"{key}_values_{by}", **_KEPT)
        flagged = st.toggle("Only with notes", key=f"{key}_flagged", help="Scans without maps, and those with cautions.", **_KEPT)
    return rows.chosen(frame, words, states, flagged, by, values)


def _ordered(found: pd.DataFrame, titles: dict[str, str], key: str) -> pd.DataFrame:
    with st.sidebar:
        by = st.selectbox("Sort by", list(titles), format_func=titles.__getitem__, key=f"{key}_sort", **_KEPT)
        falling = st.toggle("Highest first", key=f"{key}_falling", **_KEPT)
    return found.sort_values(by, ascending=not falling, kind="stable", na_position="last")


def _method(table: Table, key: str) -> str:
    """That whose maps are pictured; "" for none."""
    if not (methods := rows.map_methods(table)):
        return ""
    called = {name: scorers.SCORERS[name].title for name in methods if name in scorers.SCORERS}
    with st.sidebar:
        return st.selectbox(
            "Pictures of", [*called, ""], format_func=lambda name: called.get(name, NO_PICTURES), key=f"{key}_method", **_KEPT
        )


def _columns(titles: dict[str, str], first: list[str], key: str) -> list[str]:
    with st.sidebar:
        return st.multiselect("Columns", list(titles), first, format_func=titles.__getitem__, key=key, **_KEPT) or ["scan"]


def _page(found: pd.DataFrame, key: str) -> pd.DataFrame:
    """The rows of one page."""
    if (pages := math.ceil(len(found) / ROWS)) < 2:
        return found
    if state.get(f"{key}_page", 1) > pages:
        state[f"{key}_page"] = 1
    page = st.number_input(f"Page, of {pages}", 1, pages, key=f"{key}_page", width=120, **_KEPT)
    return found.iloc[(page - 1) * ROWS : page * ROWS]


def _counted(found: pd.DataFrame, frame: pd.DataFrame, method: str) -> str:
    counts = ", ".join(f"{count} {name}" for name, count in found["state"].value_counts().items())
    said = f"{len(found)} of {len(frame)} scans: {counts}. " if len(found) < len(frame) else f"{len(frame)} scans: {counts}. "
    if method:
        said += (
            "Pictures: six axial slices over the brain, upwards, then the one through the peak of the map's largest cluster, "
            "the patient's right on the left; the map is drawn above the study's threshold, which is outlined. "
        )
    return said


def _left_out(results: Results) -> str:
    """What of the dataset is no scan of the study, and whom participants.tsv does not have."""
    return " ".join([*results.study.summary()][1:]) if results.raw is not None and not own.is_own(results) else ""


def _pictures(results: Results, table: Table, shown: pd.DataFrame, method: str) -> dict[str, str]:
    """By the column `scan`."""
    names = shown.loc[shown["state"] == "scored", "scan"]
    return {name: cached_cohort.picture(table.whose, table.digest, name, method, results) for name in names}


def _chosen(results: Results, row: pd.Series, method: str) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        named = row.get(rows.FILE) or row["scan"]
        st.markdown(plain(f"{named}: {row[rows.NOTES]}" if pd.notna(row[rows.NOTES]) else named))
        if results.raw is not None:
            st.button("Open in Explore", on_click=_ask, args=(row["scan"], method), key="cohort_open", icon=":material/search:")


def _ask(scan: str, method: str) -> None:
    state.cohort_opening = scan, method


def _open(results: Results) -> None:
    """What was asked for in the run before: whoever filters at the same moment still gets his scan."""
    if asked := state.pop("cohort_opening", None):
        try:
            open_in_explore(results, results.scan(asked[0]), asked[1])
        except InputError as error:
            refuse(error)
