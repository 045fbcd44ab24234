"""Two groups of a study beside each other."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.shared.cached import cohort as cached_cohort
from pages.shared.cached.cohort import Table
from pages.shared.cohort import difference
from pages.shared.notices import plain, warn
from vaead_core.figures.curves import PLAIN
from vaead_core.figures.groups import groups_figure
from vaead_core.measures.metrics import Interval
from vaead_core.study.comparison import LEAST, Separated
from vaead_core.study.group import UNKNOWN, title_of
from vaead_core.study.results import Results

_CONTROLS = ("control", "controls", "con", "hc", "healthy", "td", "nc", "cn")
_PANELS = 4  # in a row of the figure
_HELPS = {
    "AUROC": "Of all pairs of a person of each group, the share in which the one expected to score higher does.",
    "AP": "Average precision: how many of those who score highest are of the first group, over all thresholds.",
}
ALONE = "Two groups are told apart by a column of the dataset's participants.tsv, such as group; this study has no such column."


def show(results: Results, table: Table) -> None:
    """Which groups, how well scores tell them apart, each one's score, and their maps on the atlas. Raises InputError."""
    known = {name: values for name in table.group.theirs if len(values := _values(table, name)) > 1}
    if not known:
        st.info(plain(ALONE))
        return
    left, middle, right = st.columns(3)
    first = list(known).index(min(known, key=lambda name: (name != "group", len(known[name]))))
    by = left.selectbox("Column", list(known), first, key="cohort_group_by", persist_state="session")
    one = middle.selectbox("Expected to score higher", known[by], key=f"cohort_first_{by}", persist_state="session")
    others = [value for value in known[by] if value != one]
    other = right.selectbox("Compared with", others, key=f"cohort_second_{by}", persist_state="session")
    with st.spinner("Comparing"):
        found = cached_cohort.compared(table, by, one, other)
    if found[0].few:
        warn(
            f"Of {one} {len(found[0].first)} and of {other} {len(found[0].second)} people were scored: with fewer than {LEAST} "
            "in a group chance alone can give any of these figures, and no interval is given."
        )
    helps = {name: st.column_config.NumberColumn(help=said) for name, said in _HELPS.items()}
    st.dataframe(
        _figures(found), hide_index=True, width="stretch", column_config=helps,
        alt="How well each method tells the groups apart",
    )  # fmt: skip
    st.caption(
        "Of the score of a scan; people with several scans count once, by their mean. Prevalence is the share of the first "
        "group, and the AP of a score that knows nothing; 0.5 is such a score's AUROC. 95 % intervals: percentile bootstrap over "
        "people, each group drawn on its own. Age, scanner and motion tell groups apart too, not disease alone."
    )
    for at in range(0, len(found), _PANELS):
        part = {title_of(one.method): (one.first, one.second) for one in found[at : at + _PANELS]}
        figure = groups_figure(part, (one, other))
        st.plotly_chart(figure, key=f"cohort_groups_{at}", config=PLAIN, alt="Score of each person by group")
    difference.show(results, table, by, one, other)


def _values(table: Table, name: str) -> list[str]:
    """Of those who were scored; controls last, as patients are expected to score higher."""
    found = sorted({row[name] for row in table.group.rows if row["state"] == "scored" and row.get(name, UNKNOWN) != UNKNOWN})
    return sorted(found, key=lambda value: value.lower() in _CONTROLS)


def _figures(found: list[Separated]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Method": [title_of(one.method) for one in found],
            "People": [f"{len(one.first)} and {len(one.second)}" for one in found],
            "AUROC": [round(one.found.auroc, 3) for one in found],
            "AUROC, 95 %": [_said(one.auroc, one.few) for one in found],
            "AP": [round(one.found.ap, 3) for one in found],
            "AP, 95 %": [_said(one.ap, one.few) for one in found],
            "Prevalence": [round(one.found.prevalence, 3) for one in found],
        }
    )


def _said(interval: Interval, few: bool) -> str:
    return "too few" if few else f"{interval[0]:.2f} to {interval[1]:.2f}"
