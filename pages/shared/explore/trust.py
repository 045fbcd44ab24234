"""How far each map that is shown can be trusted, a line a method: on painted lesions, in this scan, and what it is for."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from pages.shared.cached import recorded
from pages.shared.explore.limits import BUTTON, measured
from pages.shared.explore.shown import Shown
from pages.shared.inputs import WHICH
from pages.shared.notices import plain, warn
from vaead_core import scorers
from vaead_core.anomalies import lesions
from vaead_core.checkpoints import search
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.errors import InputError
from vaead_core.experiments.records import of_maps
from vaead_core.measures.aggregates import DEFAULT
from vaead_core.pipeline.limits.table import SPOKEN_OF

TABLE = "painted"
_TO = "\u2060–\u2060"  # no line breaks there
_NONE = pd.DataFrame({"scorer": [], "dataset": [], "prevalence": []})


def show_trust(shown: Shown) -> None:
    """A table, what each method is for, and where the evidence lies."""
    st.subheader("Can I trust these maps?", anchor=False)
    try:
        painted = _painted(shown.scan.checkpoint)
    except InputError as error:
        warn(str(error))
        painted = _NONE
    kinds = list(dict.fromkeys(painted["dataset"]))
    known = measured(shown)
    lines = []
    for one, title in zip(shown.results, shown.titles, strict=True):
        mine = painted[painted["scorer"] == one.name].drop_duplicates("dataset").set_index("dataset")
        found = {lesions.LESIONS[kind].title: _said(mine.loc[kind]) if kind in mine.index else "–" for kind in kinds}
        limits = known[one.name].limits if one.name in known else None
        here = limits is not None and limits.threshold == shown.threshold(one)
        lines.append(
            {
                "Method": title,
                **found,
                "Percentile among healthy scans": f"{one.scan_percentiles[DEFAULT]:.3g}",
                "Half found here from": limits.size_said(SPOKEN_OF, 0.5) if limits and here else "not measured",
            }
        )
    st.table(pd.DataFrame(lines), hide_index=True, alt="How far each map can be trusted")
    st.caption(plain(f"{_of_painted(painted, kinds)} Half found here from: the size of which this map finds half of the "
                     f"lesions {SPOKEN_OF} that are painted into this scan, once “{BUTTON}” below was asked at its "
                     "threshold."))  # fmt: skip
    trusts = [(title, scorers.SCORERS[one.name].trust) for one, title in zip(shown.results, shown.titles, strict=True)]
    with st.container(gap="xxsmall"):
        for title, said in trusts:
            if said:
                st.markdown(f"**{title}.** {plain(said)}")
    if st.button("Which map finds what: the evidence", icon=":material/leaderboard:", key="explore_evidence"):
        st.session_state.benchmark_view = WHICH
        st.switch_page("pages/benchmark.py")


def _painted(checkpoint: Checkpoint) -> pd.DataFrame:
    """The recorded rows of painted lesions in test brains, where they were measured with this checkpoint; else none."""
    where = recorded.folder()
    rows = recorded.table(where, TABLE)
    return _NONE if rows is None else of_maps(rows[rows["checkpoint"].isin(_called(where, checkpoint))])


def _called(where: Path, checkpoint: Checkpoint) -> set[str]:
    """What the table calls it."""
    about = recorded.about(where, TABLE)
    measured = [pair for one in (about, *about.get("added", [])) for pair in one.get("checkpoints", {}).items()]
    return {name for name, digest in measured if digest == checkpoint.digest}


def _said(row: pd.Series) -> str:
    if pd.isna(row["ap"]):
        return "–"
    return f"{row['ap']:.2f}" + ("" if pd.isna(row["ap_low"]) else f" ({row['ap_low']:.2f}{_TO}{row['ap_high']:.2f})")


def _of_painted(painted: pd.DataFrame, kinds: list[str]) -> str:
    if painted.empty:
        return (
            "How well these maps find painted lesions was not recorded with this checkpoint; what each is for, below, is said of "
            f"{search.DEFAULT}."
        )
    chance = ", ".join(f"{painted.loc[painted['dataset'] == kind, 'prevalence'].mean():.3f}" for kind in kinds)
    return (
        f"Columns of lesions: average precision where such are painted into test brains, 95 % interval, – where not recorded; "
        f"chance, in their order: {chance}. Real lesions are found less well."
    )
