"""A tour for a lab meeting: five stops on Explore, each a sample at a place, with a sentence or two. `?demo=1` begins it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st
from scipy import ndimage

from pages.shared.cached import recorded
from pages.shared.cached import scans as cached_scans
from pages.shared.cached.scans import OpenScan, OpenTruth
from pages.shared.comparison import asking
from pages.shared.explore import state as explore_state
from pages.shared.explore.limits import BUTTON
from pages.shared.explore.shown import FIRST_RATE
from pages.shared.notices import plain
from pages.shared.viewer import Voxel
from vaead_core import scorers
from vaead_core.checkpoints import search
from vaead_core.errors import InputError
from vaead_core.experiments.records import of_maps
from vaead_core.pipeline.scoring import Scored
from vaead_core.scans.volume import Array

DEMO = "demo"  # in the address: the number of a stop, from 1 on
METHOD = "logistic_fusion"  # whose recorded figures are told of patients
state = st.session_state


@dataclass(frozen=True)
class Stop:
    """sample: of the list of scans. patient: its name in the recorded table `lesions`, "" for none. missed: the crosshair goes
    to a lesion that the first map does not mark."""

    title: str
    sample: str
    said: str
    patient: str = ""
    missed: bool = False


STOPS = (
    Stop(
        "A healthy brain",
        "healthy brain A",
        "Nothing is known to be wrong here, and every map marks something: the line under each says how much of this brain lies "
        "above its threshold, beside what it marks of healthy brains. Drag the mark on a colour bar, and both follow.",
    ),
    Stop(
        "A painted lesion",
        "healthy brain B with a painted lesion",
        "One lesion was painted into this brain, outlined at the crosshair, so the truth is known. Maps differ: compare where "
        "each marks, and the curves of precision and recall below the pictures.",
    ),
    Stop(
        "A patient found",
        "glioma patient",
        "A patient of another scanner, whom no map was trained on. The outline is the tumour as five algorithms voted it.",
        "glioma",
    ),
    Stop(
        "A patient missed",
        "MS patient",
        "The maps mark a few percent of this brain, as of those before, yet most lesions of multiple sclerosis, small and faint "
        "on a T1, are not among it: one lies at the crosshair. Nothing in a map itself says so.",
        "MS",
        missed=True,
    ),
    Stop(
        "What would be missed",
        "healthy brain A",
        f"So ask before you trust a map. At the end of this page, “{BUTTON}” paints lesions of known sizes and "
        "contrasts into this very scan, and counts those that the map finds.",
    ),
)


def take_up() -> None:
    """The stop that an address names, in a new session; a page that is drawn anew keeps its own. Before the scan is asked for."""
    if "tour_stop" not in state:
        named = st.query_params.get(DEMO, "")
        _go(int(named) - 1 if named in map(str, range(1, len(STOPS) + 1)) else None)
        if explore_state.AT in st.query_params:  # a reload: the crosshair stays where its reader left it
            state.tour_arrived = state.tour_stop
    if state.tour_stop is None:
        st.query_params.pop(DEMO, None)
    else:
        st.query_params[DEMO] = str(state.tour_stop + 1)


def offer() -> None:
    """The button that begins it, while it does not run."""
    if state.tour_stop is None:
        st.button("Tour", key="tour_begin", icon=":material/tour:", on_click=_go, args=(0,), help="Five stops, ten minutes.")


def show(sample: str, checkpoint: str) -> None:
    """The stop, and the way to the next. sample: that is shown, "" for a scan of one's own. checkpoint: its name."""
    place = st.empty()  # there without a tour too, so that what follows keeps its place on the page
    if (at := state.tour_stop) is None:
        return
    stop, here = STOPS[at], sample == STOPS[at].sample
    with place.container(border=True, key="tour"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{at + 1} of {len(STOPS)}: {stop.title}**", width="stretch")
            if at > 0:
                st.button("Back", key="tour_back", on_click=_go, args=(at - 1,))
            if not here:
                st.button("Return to this stop", key="tour_return", on_click=_go, args=(at,), type="primary")
            elif at + 1 < len(STOPS):
                st.button("Next", key="tour_next", on_click=_go, args=(at + 1,), type="primary")
            st.button("End the tour", key="tour_end", on_click=_go, args=(None,), type="tertiary")
        st.markdown(plain(f"{stop.said} {_recorded(stop)}" if here else "Another scan is shown now."))
        if checkpoint != search.DEFAULT:
            st.caption(plain(f"The tour tells of {search.DEFAULT}; {checkpoint} is shown now."))


def arrive(sample: str, scan: OpenScan, truth: OpenTruth | None, first: Scored) -> None:
    """Moves the crosshair into a lesion, once for each time that a stop's scan is opened, and after that. sample: as of `show`.
    first: of the maps that are shown."""
    if state.tour_stop is None or sample != STOPS[state.tour_stop].sample:
        state.pop("tour_arrived", None)
        return
    if state.get("tour_arrived") == state.tour_stop:
        return
    state.tour_arrived = state.tour_stop
    if truth is not None:
        above = scorers.abnormality(first.name, cached_scans.native(scan, first.name)) > first.thresholds[FIRST_RATE]
        explore_state.jump(within_largest(truth.marked, above & STOPS[state.tour_stop].missed))


def within_largest(marked: Array, found: Array) -> Voxel:
    """Of the largest connected part of (I, J, K) bool that holds no voxel of `found`, or of all parts where each does: the voxel
    nearest to its centre.

    >>> lesions = np.zeros((9, 9, 9), bool)
    >>> lesions[0, 0, 0] = lesions[3:6, 4, 4] = True
    >>> within_largest(lesions, lesions & False), within_largest(lesions, lesions & (np.arange(9) == 4))
    ((4, 4, 4), (0, 0, 0))
    """
    labels, _ = ndimage.label(marked)
    left = np.setdiff1d(labels[marked], labels[found & marked])
    sizes = np.bincount(labels[marked])
    part = max(left if len(left) else np.unique(labels[marked]), key=sizes.__getitem__)
    at = np.argwhere(labels == part)
    i, j, k = (int(one) for one in at[np.linalg.norm(at - at.mean(0), axis=1).argmin()])
    return i, j, k


def _go(stop: int | None) -> None:
    if stop is not None and "tour_stop" in state:  # by a button, and not by an address, which may compare
        state.compare = asking.NOTHING
    state.tour_stop = stop
    state.pop("tour_arrived", None)
    if stop is not None:
        state.sample, state.lost_scan = STOPS[stop].sample, False


def _recorded(stop: Stop) -> str:
    """What the recorded experiment on patients found of one."""
    try:
        rows = recorded.table(recorded.folder(), "lesions") if stop.patient else None
    except InputError:  # a table that its record does not tell of: the Benchmark page says so
        return ""
    if rows is None:
        return ""
    found = of_maps(rows[(rows["dataset"] == stop.patient) & (rows["scorer"] == METHOD)])
    if found.empty:
        return ""
    one = found.iloc[0]
    return (
        f"Recorded with {one['checkpoint']}: average precision of the {scorers.SCORERS[METHOD].title.lower()} "
        f"{one['ap']:.3g}, where chance is {one['prevalence']:.2g}; this one patient is no proof of others."
    )
