"""A study in one table, with pictures of its maps; two groups of it; verdicts; scans of one's own as a small study."""

import streamlit as st

from pages.shared import inputs
from pages.shared.cached import cohort as cached_cohort
from pages.shared.cohort import groups, source, verdicts
from pages.shared.cohort import table as table_view
from pages.shared.notices import refuse, warn
from pages.shared.server import entry
from vaead_core.errors import InputError

VIEWS = ("Scans", "Two groups", "Verdicts")

entry.through_app()
with st.container(horizontal=True, vertical_alignment="bottom"):
    st.header("Cohort", anchor=False, width="content")
    st.caption("Research use only, not for diagnosis. Percentiles are among healthy scans; they are no probabilities of disease.")

row = st.container(horizontal=True, vertical_alignment="center")
try:
    results = source.ask(row)
    if results is None:
        st.stop()
    chosen_view = row.segmented_control(
        "View", VIEWS, default=VIEWS[0], required=True, key="cohort_view", label_visibility="collapsed", **inputs.KEPT
    )
    table = cached_cohort.table(results)
    for sentence in table.group.remarks():
        warn(sentence)
    if chosen_view == VIEWS[0]:
        table_view.show(results, table)
    elif chosen_view == VIEWS[1]:
        groups.show(results, table)
    else:
        verdicts.show(results, table)
except InputError as error:
    refuse(error)
