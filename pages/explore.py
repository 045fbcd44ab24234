"""A scan, sample or uploaded, through one checkpoint: maps of two to four methods side by side, or two that are compared."""

from pathlib import Path

import streamlit as st

from pages.shared import inputs, scan_input
from pages.shared.cached import scans as cached_scans
from pages.shared.cohort import judging
from pages.shared.comparison import asking, opening
from pages.shared.comparison import state as pair_state
from pages.shared.comparison.view import show_pair
from pages.shared.explore import state as explore_state
from pages.shared.explore import tour
from pages.shared.explore.limits import show_limits
from pages.shared.explore.panels import show_downloads, show_map, show_scores, show_truth
from pages.shared.explore.shown import Shown
from pages.shared.explore.trust import show_trust
from pages.shared.fresh import fresh
from pages.shared.notices import faults, plain, warn_in_lines
from pages.shared.part import part
from pages.shared.refusal import refuse_scan
from pages.shared.server import entry, queue
from pages.shared.session import opening as session
from pages.shared.viewer import viewer
from vaead_core.errors import InputError
from vaead_core.pipeline.cautions import cautions
from vaead_core.scans.names import stem

entry.through_app()
tour.take_up()
with st.container(horizontal=True, vertical_alignment="bottom", key="explore_head"):
    st.header("Explore", anchor=False, width="content")
    st.caption("Research use only, not for diagnosis. The crosshair of one picture is that of all; ? lists the keys.")
    tour.offer()
about = st.empty()

session.arrive()
request, folder = scan_input.ask_scan("sample"), inputs.ask_checkpoint()
asked = asking.ask(request, folder)
tour.show(request.sample, folder.name)
progress, place = st.empty(), fresh("explore", (request.subject, str(folder), asked.subject))
try:
    with queue.page(), progress.status("Opening the checkpoint", expanded=False) as status:
        checkpoint = cached_scans.checkpoint(folder)
        methods = inputs.ask_methods(checkpoint.model)
        scale, site = inputs.ask_thresholds(folder, checkpoint)
        status.update(label="Reading the scan")
        opened = request.read()
        key, volume, truth = opened.key, opened.volume, opened.truth
        about.caption(plain(opened.about))
        status.update(label="Registering to the SRI24 atlas")
        scan = cached_scans.open_scan(key, volume, checkpoint, scale, site)
        about.caption(plain(f"{opened.about} {scan.lies}"))
        status.update(label="Scoring")
        pair, wrong = opening.tried(asked, request, scan, truth, methods)
        if pair:
            results = [pair.sides[0].scored]
            about.caption(plain(pair.told(f"{opened.about} {scan.lies}")))
        else:
            results, sentences = inputs.score_all(scan, methods)
            layers = [cached_scans.map_layer(scan, one.name) for one in results]
            redrawn = cached_scans.reconstruction_layer(scan)
    progress.empty()
except InputError as error:
    progress.empty()
    refuse_scan(error)
    session.offer_opening()
    st.stop()

session.offer_opening()
page = place()
with page, st.container():
    said = pair.cautions if pair else [*sentences, *cautions(scan.prepared, results, scan.checkpoint)]
    warn_in_lines([*opened.sentences, *said])
    session.show_sentences(scan, pair.scans[1] if pair else None)
    if asked.lacking:
        st.info(plain(asked.lacking))
    if wrong:
        refuse_scan(wrong)
if not results:
    st.stop()
explore_state.begin(" ".join(scan.digest), volume.data.shape, request.lost)
tour.arrive(request.sample, scan, truth, results[0])
judging.take_up(checkpoint.name)


@part
@faults()
@queue.page()
def show() -> None:
    """The viewer and what follows from its crosshair and thresholds; a click in the viewer runs this alone."""
    state = st.session_state
    seen = viewer(
        cached_scans.scan_layer(key, "Scan", volume.data), layers, volume.affine, key="explore",
        file_voxels=volume.native.voxels_from_ras if volume.native else None, reconstruction=redrawn,
        truth=cached_scans.scan_layer(truth.digest, "Truth", truth.marked) if truth else None,
        cursor=state.explore_start, jumps=state.explore_jumps, thresholds=state.explore_given or None,
        tells_done=True,
    )  # fmt: skip
    explore_state.keep(seen)
    shown = Shown(scan, results, state.explore_thresholds, truth)
    name = stem(Path(volume.name).name)
    show_downloads(shown, name, seen.cursor, request.files)
    state.explore_drawn = state.get("explore_drawn", False) or seen.done
    if not state.explore_drawn:  # the browser would load tables and charts before it draws the first maps
        st.caption("Scores follow when the maps are drawn.")
        return
    show_trust(shown)
    show_scores(shown, scan.row_at(seen.cursor))
    show_truth(shown)
    show_map(shown, name)
    show_limits(shown, name)


with page:
    if pair:
        show_pair(pair)
    else:
        pair_state.leave()
        show()
