"""How far each map that is shown can be trusted, a line a method: on painted lesions, in this scan, and what it is for."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from pages.shared.cached import recorded
from pages.shared.explore.limits import BUTTON, measured
from pages.shared.explore.shown import Shown
from pages.shared.inputs import WHICH
from pages.shared.notices import plain
from vaead_core import scorers
from vaead_core.anomalies import lesions
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.experiments.records import of_maps
from vaead_core.measures.aggregates import DEFAULT

TABLE = "painted"
LOOK = "20 % darker"  # of which it is said from which size on half are found here


def show_trust(shown: Shown) -> None:
    """A table, what each method is for, and where the evidence lies."""
    st.subheader("Can I trust these maps?", anchor=False)
    painted = _painted(shown.scan.checkpoint)
    kinds = list(dict.fromkeys(painted["dataset"]))
    known = measured(shown)
    lines = []
    for one, title in zip(shown.results, shown.titles, strict=True):
        mine = painted[painted["scorer"] == one.name].set_index("dataset")
        found = {lesions.LESIONS[kind].title: _ap(mine.loc[kind]) if kind in mine.index else "–" for kind in kinds}
        limits = known[one.name].limits if one.name in known else None
        here = limits is not None and limits.threshold == shown.threshold(one)
        lines.append(
            {
                "Method": title,
                **found,
                "Percentile among healthy scans": round(one.scan_percentiles[DEFAULT], 1),
                "Half found here from": limits.size_said(LOOK, 0.5) if limits and here else "not measured",
            }
        )
    st.dataframe(pd.DataFrame(lines), hide_index=True, width="stretch", alt="How far each map can be trusted")
    st.caption(plain(f"{_of_painted(painted, kinds)} Half found here from: the size of which this map finds half of the lesions "
                     f"{LOOK} that are painted into this scan, once “{BUTTON}” below was asked at its threshold."))  # fmt: skip
    trusts = [(title, scorers.SCORERS[one.name].trust) for one, title in zip(shown.results, shown.titles, strict=True)]
    st.markdown("\n".join(f"- **{title}.** {plain(said)}" for title, said in trusts if said))
    if st.button("Which map finds what: the evidence", icon=":material/leaderboard:", key="explore_evidence"):
        st.session_state.benchmark_view = WHICH
        st.switch_page("pages/benchmark.py")


def _painted(checkpoint: Checkpoint) -> pd.DataFrame:
    """The recorded rows of painted lesions in test brains, where they were measured with this checkpoint; else none."""
    where = recorded.folder()
    rows = recorded.table(where, TABLE)
    if rows is None or checkpoint.digest not in _measured(where):
        return pd.DataFrame({"scorer": [], "dataset": [], "prevalence": []})
    return of_maps(rows)


def _ap(row: pd.Series) -> str:
    interval = "" if pd.isna(row["ap_low"]) else f" ({row['ap_low']:.2f}–{row['ap_high']:.2f})"
    return f"{row['ap']:.2f}{interval}"


def _measured(where: Path) -> set[str]:
    about = recorded.about(where, TABLE)
    return {digest for one in (about, *about.get("added", [])) for digest in one.get("checkpoints", {}).values()}


def _of_painted(painted: pd.DataFrame, kinds: list[str]) -> str:
    if painted.empty:
        return "How well these maps find painted lesions was not recorded with this checkpoint."
    chance = ", ".join(f"{painted.loc[painted['dataset'] == kind, 'prevalence'].mean():.3f}" for kind in kinds)
    return (
        f"First columns: average precision on painted lesions in test brains, 95 % interval; chance {chance}. "
        "Real lesions are found less well."
    )
