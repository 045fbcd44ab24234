"""The clusters of a map on the Explore page: where each lies, a verdict of the reader's, and both as files."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from pages.shared.cached import scans as cached_scans
from pages.shared.cached.scans import OpenScan
from pages.shared.cohort import judging
from pages.shared.explore import state as explore_state
from pages.shared.explore.offering import offer
from pages.shared.notices import plain
from pages.shared.viewer import Voxel
from vaead_core import scorers
from vaead_core.measures.components import MOST, labelled_clusters
from vaead_core.pipeline.findings import VERDICTS, Finding, Verdict, findings_tsv, placed, summary
from vaead_core.scans.nifti import map_to_nifti


def show_clusters(scan: OpenScan, name: str, threshold: float, stem: str) -> None:
    """The largest clusters of a scorer's map above its threshold; one that is selected is gone to, and can be judged."""
    clusters, verdict = cached_scans.clusters(scan, name, threshold), explore_state.verdicts(name)

    def judged() -> list[Finding]:
        return [placed(one, scan.prepared.brain.transform, verdict(one.voxel)) for one in clusters]

    found = judged()
    if not found:
        st.info(f"No voxel lies above {threshold:.3g}; lower the threshold on the map's colour bar.")
        return
    peaks = [one.cluster.voxel for one in found]
    key = explore_state.anew("explore_clusters")
    st.dataframe(
        _table(found, scorers.SCORERS[name].unit), hide_index=True, width="stretch", height=222,
        on_select=lambda: _go_to(peaks, st.session_state[key]), selection_mode="single-row", key=key,
    )  # fmt: skip
    st.caption(
        f"The largest clusters above {threshold:.3g}, on the scan's own grid. Select one to go to its peak and to judge it; "
        "verdicts stay as long as this session. Regions are those of the SRI24 atlas's tissue labels."
    )
    chosen = st.session_state.get("explore_chosen")
    if chosen in peaks:
        _judge(scan, name, threshold, peaks.index(chosen), found)
    if said := summary(found):
        st.caption(plain(said))
    with st.container(horizontal=True):
        offer("Findings, TSV", lambda: findings_tsv(judged()), "findings", f"{stem}_{name}_findings.tsv")
        offer("Clusters, NIfTI", lambda: _labels(scan, name, threshold), "labels", f"{stem}_{name}_clusters.nii.gz")


def _table(found: list[Finding], unit: str) -> pd.DataFrame:
    rows = []
    for number, one in enumerate(found, 1):
        cluster, verdict = one.cluster, one.verdict
        rows.append((number, verdict.said, cluster.volume_ml, cluster.peak, one.region, *cluster.peak_mm, verdict.comment))
    columns = ["No.", "Verdict", "Volume, ml", f"Peak, {unit}", "Region", "R, mm", "A, mm", "S, mm", "Comment"]
    return pd.DataFrame(rows, columns=columns).round(2)


def _go_to(peaks: list[Voxel], table: Any) -> None:
    for row in table.selection.rows[:1]:
        st.session_state.explore_chosen = peaks[row]
        explore_state.jump(peaks[row])


def _judge(scan: OpenScan, name: str, threshold: float, row: int, found: list[Finding]) -> None:
    """Verdict and comment of one cluster; the Cohort page has those of its study's scans too."""
    one, voxel, study_scan = found[row], found[row].cluster.voxel, judging.shown()
    key = f"explore_verdict_{name}_{'_'.join(map(str, voxel))}"

    def keep() -> None:
        state = st.session_state
        verdict = Verdict(state[key] or "", state[f"{key}_comment"])
        explore_state.judge(name, voxel, verdict)
        if study_scan:
            judging.gather(study_scan, name, scan.checkpoint.name, threshold, replace(one, verdict=verdict))

    st.markdown(f"**Cluster {row + 1:d} of {len(found)}**: {one.cluster.volume_ml:.3g} ml, {plain(one.region)}")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.segmented_control(
            "Verdict", VERDICTS, default=one.verdict.said or None, key=key, on_change=keep,
            help="Whether this is what you look for. Precision is the accepted share of those accepted or rejected.",
        )  # fmt: skip
        st.text_input("Comment", one.verdict.comment, max_chars=200, key=f"{key}_comment", on_change=keep)


def _labels(scan: OpenScan, name: str, threshold: float) -> bytes:
    """A label map on the scan's own grid: cluster n of the table is n."""
    values = scorers.abnormality(name, cached_scans.native(scan, name))
    labels, _, _ = labelled_clusters(values, threshold, scan.volume.affine, MOST)
    return map_to_nifti(labels, scan.volume, np.uint8)
