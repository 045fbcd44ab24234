"""Two groups of a study on the atlas: where the mean map of one is higher than that of the other."""

from __future__ import annotations

import streamlit as st

from pages.shared.cached import cohort as cached_cohort
from pages.shared.cached.cohort import Table
from pages.shared.cohort import rows
from pages.shared.notices import plain, refuse, warn
from pages.shared.server import queue
from vaead_core import scorers
from vaead_core.errors import InputError
from vaead_core.study.comparison import LEAST
from vaead_core.study.on_atlas import SPACING_MM
from vaead_core.study.results import Results

state = st.session_state


def show(results: Results, table: Table, by: str, first: str, second: str) -> None:
    """A method is chosen, and its maps are averaged when they are asked for."""
    titles = {name: scorers.SCORERS[name].title for name in rows.map_methods(table) if name in scorers.SCORERS}
    if not titles:
        return
    st.subheader("Mean maps on the atlas", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        method = st.selectbox(
            "Maps of", list(titles), format_func=titles.__getitem__, key="cohort_difference_of", persist_state="session",
            width=320,
        )  # fmt: skip
        asked = table.whose, table.digest, method, by, first, second
        if st.button("Map of the difference", key="cohort_difference", icon=":material/difference:"):
            state.cohort_difference_asked = asked
    if state.get("cohort_difference_asked") != asked:
        st.caption("Every map of both groups is read and brought onto the atlas: about a third of a second each.")
        return
    try:
        with st.spinner("Averaging the maps on the atlas"), queue.page():
            shown = cached_cohort.difference(*asked, results, table.group)
    except InputError as error:
        refuse(error)
        return
    found = shown.found
    one, other = (_people(count, name) for count, name in zip(found.people, (first, second), strict=True))
    if min(found.people) < LEAST:
        warn(f"Maps of {one} and of {other}: with fewer than {LEAST} in a group chance alone can give any picture.")
    alt = f"Axial slices of the atlas, coloured where the mean map of {first} differs from that of {second}"
    st.image(shown.picture, width="stretch", alt=alt)
    st.caption(
        plain(
            f"{titles[method]}: mean of {one} less that of {other}; whoever has several scans counts once, by their mean. "
            f"Red: higher in {first}; blue: higher in {second}; colours fade towards 0, where the atlas shows. Axial slices of "
            "SRI24 with their height, the patient's right on the left. Drawn are voxels that at least half of the brains of "
            f"each group cover, {found.covered_ml:.0f} mL in all; a voxel's mean is over those who cover it. This describes two "
            "groups: nothing was tested for significance, and age, scanner and how brains lie on the atlas differ between groups "
            "too."
        )
    )
    st.download_button(
        "Difference, NIfTI", lambda: found.nifti, f"SRI24_{method}_difference.nii.gz", on_click="ignore",
        key="cohort_difference_file", icon=":material/download:",
        help=f"In SRI24's space, voxels of {SPACING_MM} mm, first group less second; 0 where it is not covered.",
    )  # fmt: skip


def _people(count: int, group: str) -> str:
    return f"{count} {'person' if count == 1 else 'people'} of {group}"
