"""Two scans of one person beside each other: what changed in figures and on the atlas."""

from __future__ import annotations

import math

import pandas as pd
import streamlit as st

from pages.shared.cached import cohort as cached_cohort
from pages.shared.cached.cohort import Table
from pages.shared.cohort import own
from pages.shared.notices import plain, refuse, warn_in_lines
from pages.shared.server import queue
from vaead_core import scorers
from vaead_core.errors import InputError
from vaead_core.study.on_atlas import SPACING_MM
from vaead_core.study.results import Results
from vaead_core.study.visits import MOST_REPEATS, Change, Pair, changes, methods_of, remarks, repeats, visited

WHY = (
    "Differences also come from how the head lay, from the scanner and from noise. This describes two scans: nothing was tested."
)
state = st.session_state


def any_of(results: Results, table: Table) -> bool:
    """Whether somebody has two scans with maps; of one's own scans nobody is known to."""
    return bool(visited(table.group)) and not own.is_own(results)


def show(results: Results, table: Table) -> None:
    """Who, which scans and which method; the figures at once, the maps when they are asked for."""
    people = visited(table.group)
    who, left, right, of = st.columns(4)
    person = who.selectbox("Person", list(people), key="cohort_visits_of", persist_state="session")
    scans = people[person]
    first = left.selectbox("First scan", scans, key=f"cohort_first_visit_{person}", persist_state="session")
    others = [scan for scan in scans if scan != first]
    following = min(scans.index(first), len(others) - 1)
    second = right.selectbox("Second scan", others, following, key=f"cohort_second_visit_{first}", persist_state="session")
    pair = first, second
    warn_in_lines(list(remarks(table.group, pair)))
    titles = {name: scorers.SCORERS[name].title for name in methods_of(table.group, pair)}
    if not titles:
        st.info(plain("These two scans have maps of no method in common; choose others."))
        return
    method = of.selectbox(
        "Maps of", list(titles), format_func=titles.__getitem__, key="cohort_visits_method", persist_state="session"
    )
    again = repeats(table.group, method, pair)
    st.dataframe(_figures(changes(table.group, method, pair)), hide_index=True, width="stretch", alt="What changed in figures")
    st.caption(plain(f"{WHY} {_yardstick(len(again))}"))
    asked = table.whose, table.digest, method, pair
    if st.button("Both maps and their difference", key="cohort_visits", icon=":material/difference:"):
        state.cohort_visits_asked = asked
    if state.get("cohort_visits_asked") == asked:
        _maps(results, table, method, pair, again)


def _figures(found: list[Change]) -> pd.DataFrame:
    any_pair = not all(math.isnan(one.between_runs) for one in found)
    return pd.DataFrame(
        {
            "Figure": [f"{one.name}, {one.unit}" if one.unit else one.name for one in found],
            "First": [one.first for one in found],
            "Second": [one.second for one in found],
            "Second less first": [one.change for one in found],
            "Between runs of a session": [one.between_runs for one in found] if any_pair else ["none"] * len(found),
        }
    ).round(3)


def _yardstick(pairs: int) -> str:
    if not pairs:
        return "No session of this study has another pair of runs with maps, so how much repeated scans differ is not known here."
    return f"Between runs of a session: the median size of the same difference over {_counted(pairs)} of this study."


def _counted(pairs: int) -> str:
    return "1 pair of runs" if pairs == 1 else f"{pairs} pairs of runs"


def _maps(results: Results, table: Table, method: str, pair: Pair, again: list[Pair]) -> None:
    try:
        with st.spinner("Bringing the maps onto the atlas"), queue.page():
            found = cached_cohort.visits(table.whose, table.digest, method, pair, tuple(again[:MOST_REPEATS]), results)
    except InputError as error:
        refuse(error)
        return
    for place, picture, scan in zip(st.columns(2), found.pictures, pair, strict=True):
        place.image(picture, width="stretch", alt=f"Axial slices of the atlas with the map of {scan}")
        place.caption(plain(scan))
    difference = found.visits.difference
    alt = f"Axial slices of the atlas, coloured where the map of {pair[1]} differs from that of {pair[0]}"
    st.image(found.picture, width="stretch", alt=alt)
    unit = scorers.SCORERS[method].unit
    repeated = (
        f"between runs of a session {found.between_runs:.3g}, the median of {_counted(min(len(again), MOST_REPEATS))}"
        if again
        else "no runs of one session to compare that with"
    )
    st.caption(
        plain(
            f"{pair[1]} less {pair[0]}. Red: higher in the second; blue: higher in the first; colours fade towards 0, where the "
            "atlas shows. The same axial slices of SRI24 in all three, with their height, the patient's right on the left; one "
            f"scale for both maps. The difference is drawn where both brains cover the atlas, {difference.covered_ml:.0f} mL. "
            f"Median size of a voxel's difference: {found.visits.typical:.3g} {unit}; {repeated}. {WHY}"
        )
    )
    st.download_button(
        "Difference, NIfTI", lambda: difference.to_nifti("map difference", "a map less that of an earlier scan, not tested"),
        f"{pair[1]}_less_{pair[0]}_space-SRI24_{method}.nii.gz", on_click="ignore", key="cohort_visits_file",
        icon=":material/download:",
        help=f"In SRI24's space, voxels of {SPACING_MM} mm, second less first; 0 where one of the brains does not cover it.",
    )  # fmt: skip
