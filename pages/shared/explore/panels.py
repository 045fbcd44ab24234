"""What the Explore page shows below the viewer, and what it lets go as files."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pages.shared.cached import scans as cached_scans
from pages.shared.cached.scans import OpenScan
from pages.shared.explore import state as explore_state
from pages.shared.explore.findings import show_clusters
from pages.shared.explore.limits import measured
from pages.shared.explore.offering import offer
from pages.shared.explore.shown import FIRST_RATE, Shown
from pages.shared.explore.slides import offer_figure
from pages.shared.notices import plain
from pages.shared.session.saving import offer_session
from pages.shared.viewer import Voxel
from vaead_core import scorers
from vaead_core.figures.curves import PLAIN, precision_recall_figure
from vaead_core.figures.scores import histogram_figure, strip_figure
from vaead_core.measures.aggregates import DEFAULT
from vaead_core.scans.nifti import map_to_nifti
from vaead_core.scorers.units import units_help

EVERYTHING = (
    "Maps, masks, clusters with your verdicts, the way to the atlas, a picture, a page and a record of all, as a BIDS derivative "
    "dataset: what vaead BIDS_DIR OUT participant writes of a scan, by the methods and thresholds that are shown."
)
SCORES = {
    "Score of the scan": "Of each slice the mean of the top 10 % of its pixels; of these, the mean over slices.",
    "Compared on": "What thresholds and percentiles count from.",
    "Percentile of the scan": "How many of 100 healthy scans score lower.",
    "Percentile of the slice": "How many of 100 healthy slices score lower than the crosshair's.",
}
AGAINST_TRUTH = {
    "Average precision": "The mean precision over all thresholds; 1 is best, and the prevalence is chance.",
    "Chance (prevalence)": "The share of the brain that the truth marks.",
    "Best Dice of any threshold": "How far marked voxels and truth overlap, 0 to 1, at the threshold that suits the truth most.",
    "Precision there": "The share of the marked voxels that the truth marks too.",
    "Recall there": "The share of the truth that is marked.",
}


def show_downloads(shown: Shown, stem: str, cursor: Voxel, files: tuple[bytes | None, bytes | None]) -> None:
    """Each map as NIfTI, a report as HTML, all in BIDS's names, the session, a figure as PNG or SVG; made when asked for.

    files: content of the scan's own and of its mask's, None where there is none.
    """
    volume, known = shown.scan.volume, measured(shown)
    verdicts = {one.name: explore_state.verdicts(one.name) for one in shown.results}

    def report() -> str:
        from pages.shared.explore import downloads  # matplotlib costs every visitor half a second, and few ask for a file

        return downloads.report(shown, [one.limits for one in known.values() if one.limits])

    def everything() -> bytes:
        from pages.shared.explore import downloads

        return downloads.everything(shown, verdicts, *files)

    with st.popover("Save", icon=":material/download:"):
        for one, title in zip(shown.results, shown.titles, strict=True):
            content = lambda one=one: map_to_nifti(cached_scans.native(shown.scan, one.name), volume)  # noqa: E731
            offer(f"{title}, NIfTI", content, one.name, f"{stem}_{one.name}.nii.gz")
        offer("Report, HTML", report, "report", f"{stem}_report.html")
        offer("All as one .zip", everything, "everything", f"{stem}_vaead.zip", EVERYTHING)
        offer_session(shown.scan, None, stem)
        offer_figure(shown, stem, cursor)


def show_scores(shown: Shown, row: int) -> None:
    """Scores of the scan as percentiles of healthy ones, and of each slice; a click on a slice goes there."""
    healthy = shown.results[0].healthy
    st.subheader("Scores", anchor=False)
    table = {
        "Method": shown.titles,
        "Score of the scan": [round(one.scan[DEFAULT], 3) for one in shown.results],
        "Unit": [scorers.SCORERS[one.name].unit for one in shown.results],
        "Compared on": [one.compared_with for one in shown.results],
        "Percentile of the scan": [round(one.scan_percentiles[DEFAULT], 1) for one in shown.results],
        "Percentile of the slice": [round(float(one.image_percentiles[DEFAULT][row]), 1) for one in shown.results],
    }
    if site := shown.scan.site:
        held = [site.left_out_shares(one.name, one.scale, FIRST_RATE) for one in shown.results]
        table["Marked of a left-out scan at 5 %"] = [f"{100 * low:.1f} to {100 * high:.1f} %" for _, low, high in held]
    said = SCORES | {"Unit": units_help(scorers.SCORERS[one.name].unit for one in shown.results)}
    helps = {name: st.column_config.Column(help=text) for name, text in said.items()}
    st.dataframe(pd.DataFrame(table), hide_index=True, width="stretch", column_config=helps)
    st.session_state.explore_strip_of = shown.scan  # and not in the callback: Streamlit keeps those of strips that are gone
    percentiles = {title: one.image_percentiles[DEFAULT] for title, one in zip(shown.titles, shown.results, strict=True)}
    st.plotly_chart(
        strip_figure(percentiles, shown.scan.prepared.slices.position, row), config=PLAIN, selection_mode="points",
        key=(key := explore_state.anew("explore_strip")), on_select=lambda: _go_to_slice(st.session_state[key]),
    )  # fmt: skip
    whose = f"healthy scans of {plain(site.name)}" if site else "healthy validation scans"
    unseen = "" if site else f" that {plain(shown.scan.checkpoint.name)} was not trained on"
    st.caption(
        f"Percentiles come from {len(healthy.scans[DEFAULT])} {whose} ({len(healthy.images[DEFAULT])} slices){unseen}. "
        "They are not probabilities of disease. Click a slice to go there."
    )


def _go_to_slice(strip: Any) -> None:
    scan: OpenScan = st.session_state.explore_strip_of
    for point in strip.selection.points[:1]:
        explore_state.jump(scan.voxel_in(point["customdata"], st.session_state.explore_cursor))


def show_truth(shown: Shown) -> None:
    """Each map against the truth, on the scan's own grid over the brain; a click on a curve sets its threshold."""
    if shown.truth is None or not shown.truth.marked.any():
        return
    st.subheader("Against the truth", anchor=False)
    found = [cached_scans.against_truth(shown.scan, shown.truth, one.name) for one in shown.results]
    above = [curve.above(shown.threshold(one)) for one, curve in zip(shown.results, found, strict=True)]
    dice = [curve.dice(shown.threshold(one)) for one, curve in zip(shown.results, found, strict=True)]
    table = {
        "Method": shown.titles,
        "Average precision": [round(one.detection.ap, 3) for one in found],
        "Chance (prevalence)": [round(one.detection.prevalence, 4) for one in found],
        "Best Dice of any threshold": [round(one.detection.best_dice, 3) for one in found],
        "Dice at the threshold": [round(one, 3) for one in dice],
        "Precision there": [round(float(precision), 3) for precision, _ in above],
        "Recall there": [round(float(recall), 3) for _, recall in above],
    }
    helps = {name: st.column_config.NumberColumn(help=said) for name, said in AGAINST_TRUTH.items()}
    st.dataframe(pd.DataFrame(table), hide_index=True, width="stretch", column_config=helps)
    st.session_state.explore_titles = shown.titles
    curves = [(curve, shown.threshold(one)) for one, curve in zip(shown.results, found, strict=True)]
    st.plotly_chart(
        precision_recall_figure(curves), key=(key := explore_state.anew("explore_curves")), config=PLAIN,
        on_select=lambda: _take_threshold(st.session_state[key]), selection_mode="points",
    )  # fmt: skip
    volume_ml = shown.truth.marked.sum() * shown.scan.volume.voxel_ml
    st.caption(
        f"The truth marks {volume_ml:.3g} ml. Over all voxels of the brain, on the scan's own grid; one scan, so there is no "
        "interval. Click a curve to set its threshold."
    )


def _take_threshold(chart: Any) -> None:
    for point in chart.selection.points[:1]:
        explore_state.set_threshold(st.session_state.explore_titles[point["curve_number"]], point["customdata"])


def show_map(shown: Shown, stem: str) -> None:
    """One map in numbers: histogram with its threshold, clusters above it; a click on a cluster goes there."""
    st.subheader("One map in numbers", anchor=False)
    names = {one.name: title for one, title in zip(shown.results, shown.titles, strict=True)}
    name = st.selectbox("Map", list(names), format_func=names.__getitem__, key="explore_map", width=320)
    one = next(one for one in shown.results if one.name == name)
    threshold, unit = shown.threshold(one), scorers.SCORERS[name].unit
    values = one.abnormality[shown.scan.prepared.slices.mask]
    truth = cached_scans.sliced_truth(shown.scan, shown.truth) if shown.truth else None
    left, right = st.columns(2)
    with left:
        healthy = one.healthy.pixels
        st.plotly_chart(histogram_figure(values, healthy, threshold, unit, truth), key="explore_histogram", config=PLAIN)
        st.caption("Brain voxels on the atlas grid. The red line is the map's threshold: drag the mark on its colour bar.")
    with right:
        show_clusters(shown.scan, name, threshold, stem)
