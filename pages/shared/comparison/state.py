"""Where the reader of a comparison is: its two thresholds, in the address too, and Explore's crosshair on the atlas grid."""

from __future__ import annotations

from math import isfinite

import streamlit as st

from pages.shared.cached.scans import OpenScan
from pages.shared.explore import state as explore_state
from pages.shared.viewer import Voxel

ABOVE = "pair_above"
Thresholds = tuple[float, float]
state = st.session_state


def begin(subject: str, scan: OpenScan, first: Thresholds) -> None:
    """Another pair begins at the crosshair of Explore and at thresholds `first`, or those of a session that was opened; a new
    session at those of the address."""  # fmt: skip
    kind, restored = state.get("pair_restored") or ("", None)
    if kind and kind == state.compare:
        del state.pair_restored
    else:
        restored = None
    if state.get("pair_subject") == subject and not restored:
        return
    left: dict[str, Thresholds] = state.get("pair_left", {})
    given = restored or left.get(subject) or (None if "pair_subject" in state else read(st.query_params.get(ABOVE, "")))
    state.pair_subject, state.pair_given = subject, given or first
    state.pair_jumps = state.get("pair_jumps", -1) + 1
    state.pair_thresholds, state.pair_shown = state.pair_given, True
    at: Voxel | None = state.explore_cursor
    state.pair_start = scan.preprocessor.slice_grid.from_scan(at, scan.prepared.brain) if at else None


def keep(scan: OpenScan, voxel: Voxel, thresholds: Thresholds) -> None:
    """What the reader moved in the viewer. voxel: of the atlas grid."""
    explore_state.put(scan.preprocessor.slice_grid.in_scan(voxel, scan.prepared.brain))
    state.pair_thresholds = thresholds
    st.query_params[ABOVE] = written(thresholds)


def leave() -> None:
    """Explore alone goes on where the comparison's crosshair was left."""
    st.query_params.pop(ABOVE, None)
    if state.pop("pair_shown", False):
        state.pair_left, state.pair_subject = {state.pair_subject: state.pair_thresholds}, ""
        if state.explore_cursor:
            explore_state.jump(state.explore_cursor)


def written(thresholds: Thresholds) -> str:
    """As in the address.

    >>> written((0.5, 2.25)), read("0.5~2.25"), read("0.5"), read("0.5~nan")
    ('0.5~2.25', (0.5, 2.25), None, None)
    """
    return "~".join(f"{value:.4g}" for value in thresholds)


def read(text: str) -> Thresholds | None:
    """None for what `written` never gives."""
    try:
        first, second = (float(part) for part in text.split("~"))
    except ValueError:
        return None
    return (max(0.0, first), max(0.0, second)) if isfinite(first) and isfinite(second) else None
