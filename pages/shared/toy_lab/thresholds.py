"""A threshold for each method of the toy lab, in st.session_state."""

from __future__ import annotations

import streamlit as st

from pages.shared.cached.scans import OpenScan
from vaead_core.pipeline.scoring import Scored


def begin(scan: OpenScan, results: list[Scored]) -> dict[str, float]:
    """By method: where the reader left it in this scan, else what 5 % of healthy voxels exceed."""
    state = st.session_state
    if state.get("lab_thresholds_of") != scan.digest:
        state.lab_thresholds_of, state.lab_thresholds = scan.digest, {}
    return {one.name: state.lab_thresholds.get(one.name, one.thresholds[0.05]) for one in results}


def move(name: str, value: float) -> None:
    """That of one method, 0 or more; where methods share one in the viewer, the others follow there."""
    st.session_state.lab_thresholds |= {name: max(0.0, value)}


def keep(found: dict[str, float]) -> None:
    """Where the reader moved them in the viewer."""
    st.session_state.lab_thresholds |= found
