"""A study in one table, with pictures of its maps; two groups, two visits, verdicts; scans of one's own as a small study."""

import streamlit as st

from pages.shared import inputs
from pages.shared.cached import cohort as cached_cohort
from pages.shared.cohort import groups, source, verdicts, visits
from pages.shared.cohort import table as table_view
from pages.shared.notices import refuse, warn_in_lines
from pages.shared.server import entry
from vaead_core.errors import InputError

SCANS, GROUPS, VISITS, VERDICTS = "Scans", "Two groups", "Two visits", "Verdicts"

entry.through_app()
with st.container(horizontal=True, vertical_alignment="bottom"):
    st.header("Cohort", anchor=False, width="content")
    st.caption("Research use only, not for diagnosis. Percentiles are among healthy scans; they are no probabilities of disease.")

row = st.container(horizontal=True, vertical_alignment="center")
try:
    results = source.ask(row)
    if results is None:
        st.stop()
    table = cached_cohort.table(results)
    views = [SCANS, GROUPS, *([VISITS] if visits.any_of(results, table) else []), VERDICTS]
    inputs.drop_unless("cohort_view", views)
    chosen_view = row.segmented_control(
        "View", views, default=SCANS, required=True, key="cohort_view", label_visibility="collapsed", **inputs.KEPT
    )
    warn_in_lines(list(table.group.remarks()))
    shown = {SCANS: table_view, GROUPS: groups, VISITS: visits, VERDICTS: verdicts}
    shown[chosen_view].show(results, table)
except InputError as error:
    refuse(error)
