"""Verdicts on a study's clusters: each method's precision, all that was judged, as tables and as files."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.shared.cached.cohort import Table
from pages.shared.cohort import judging, own, rows
from pages.shared.notices import plain, refuse, warn
from pages.shared.server import uploads
from vaead_core.errors import InputError
from vaead_core.study.comparison import LEAST
from vaead_core.study.group import title_of
from vaead_core.study.results import Results
from vaead_core.study.verdicts import MOST_BYTES, Judged, Precision, of_study, precisions, read_verdicts, verdicts_tsv

NONE = (
    "Nothing was judged yet. Under Scans, select a row and open it in Explore; there, select a cluster under One map in numbers, "
    "and accept or reject it. Or continue from a file."
)
state = st.session_state


def show(results: Results, table: Table) -> None:
    """Precision by method, the clusters, their files, and a file from which to go on."""
    people = dict(zip(table.frame["scan"], table.frame["participant_id"], strict=True))
    judged = [one for one in judging.gathered(table.whose) if one.scan in people]
    if judged:
        _precisions(judged, people)
        _clusters(judged, {one.name.scan: said for one in results.study.scans if (said := own.called(one))})
    else:
        st.info(plain(NONE))
    uploads.expect("cohort_verdicts_file")
    st.file_uploader(
        "Continue from a file: all verdicts, as they were saved here, .tsv", type=["tsv"], key="cohort_verdicts_file",
        on_change=_take, args=(results, table), max_upload_size=MOST_BYTES >> 20,
    )  # fmt: skip
    for said, sentence in state.pop("cohort_verdicts_said", ()):
        said(sentence)


def _precisions(judged: list[Judged], people: dict[str, str]) -> None:
    st.subheader("Precision by method", anchor=False)
    found = precisions(judged, people)
    for one in found:
        if len(one.checkpoints) > 1:
            warn(f"Clusters of {title_of(one.method)} are of maps by several checkpoints: {', '.join(one.checkpoints)}.")
    if any(one.few for one in found):
        warn(f"With verdicts on fewer than {LEAST} people chance alone can give any precision; no interval is given.")
    shown = _frame(found)
    st.dataframe(shown, hide_index=True, width="stretch", alt="Precision of each method by the verdicts")
    st.caption(
        "Precision: accepted / (accepted + rejected), of the clusters that were judged; unsure ones do not count. 95 % "
        "intervals: percentile bootstrap over people, with all clusters of each; where all were accepted, or none, it has no "
        "width and says little. Threshold: above which clusters were found. Whoever judges sees the method and chooses the "
        "clusters, and what no method marked is not judged: this is no accuracy."
    )
    st.download_button(
        "Precision, CSV", lambda: shown.to_csv(index=False), "precision.csv", "text/csv", on_click="ignore",
        key="cohort_precision_csv", icon=":material/download:",
    )  # fmt: skip


def _frame(found: list[Precision]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Method": [title_of(one.method) for one in found],
            "Scans judged": [one.scans for one in found],
            "Clusters judged": [one.clusters for one in found],
            "Accepted": [one.accepted for one in found],
            "Rejected": [one.rejected for one in found],
            "Unsure": [one.unsure for one in found],
            "Precision": [round(one.value, 3) for one in found],
            "Precision, 95 %": ["too few" if one.few else f"{one.interval[0]:.2f} to {one.interval[1]:.2f}" for one in found],
            "Threshold": [" to ".join(dict.fromkeys(f"{at:.3g}" for at in one.thresholds)) for one in found],
        }
    )


def _clusters(judged: list[Judged], files: dict[str, str]) -> None:
    st.subheader("All verdicts", anchor=False)
    records = []
    for one in judged:
        cluster, verdict = one.finding.cluster, one.finding.verdict
        places = (" ".join(f"{mm:.0f}" for mm in place) for place in (cluster.peak_mm, one.finding.atlas_mm))
        told = one.scan, files.get(one.scan), title_of(one.method), verdict.said, round(cluster.volume_ml, 3)
        records.append((*told, *places, one.finding.region, verdict.comment, float(f"{one.threshold:.3g}")))
    named = [
        "Scan",
        rows.FILE,
        "Method",
        "Verdict",
        "Volume, ml",
        "Peak, mm",
        "On the atlas, mm",
        "Region",
        "Comment",
        "Threshold",
    ]
    shown = pd.DataFrame(records, columns=named).rename(columns={rows.FILE: "File"})
    st.dataframe(
        shown if files else shown.drop(columns="File"), hide_index=True, width="stretch", alt="All clusters that were judged"
    )
    st.caption(
        "Each cluster as it was when it was judged, above the threshold that stood on Explore then. Places are R, A, S: the "
        "peak's in the scan, and on the SRI24 atlas, whose tissue labels name the region. **Verdicts last no longer than this "
        "session: save them, and continue from the file.**"
    )
    st.download_button(
        "All verdicts, TSV", lambda: verdicts_tsv(judged), "verdicts.tsv", "text/tab-separated-values", on_click="ignore",
        key="cohort_verdicts_tsv", icon=":material/download:", type="primary",
    )  # fmt: skip


def _take(results: Results, table: Table) -> None:
    """What an uploaded file says is added to this session's; what is left out is said."""
    if (file := state.get("cohort_verdicts_file")) is None:
        return
    try:
        judged = read_verdicts(file.getvalue())
        known = {one.name.scan: one for one in results.study.scans}
        contents = {name: results.content_digest(known[name]) for name in {one.scan for one in judged} & known.keys()}
        kept, sentences = of_study(judged, contents)
        new = judging.take(table.whose, kept)
    except InputError as error:
        state.cohort_verdicts_said = [(refuse, str(error))]
        return
    sentences += [f"Judged in this session too, which stands: {len(kept) - new}."] if new < len(kept) else []
    done = lambda sentence: st.success(plain(sentence))  # noqa: E731
    state.cohort_verdicts_said = [(done, f"Verdicts that were taken up: {new}."), *((warn, one) for one in sentences)]
