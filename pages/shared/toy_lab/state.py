"""What the toy lab remembers between two runs, in st.session_state: the toys, and a threshold for each method."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.shared.cached import toys as cached_toys
from pages.shared.cached.scans import OpenScan
from pages.shared.cached.toys import Toys
from vaead_core import scorers
from vaead_core.errors import InputError
from vaead_core.pipeline.planting import Planting, Voxel
from vaead_core.pipeline.scoring import Scored

TOYS = "toys"
Shape = tuple[str, tuple[tuple[str, Any], ...]]


def begin(scan: OpenScan, shape: Shape) -> None:
    """Toys stay while scan and grid do; a changed shape (kind and settings) is that of the last one too."""
    state = st.session_state
    where = scan.scan_digest, scan.checkpoint.preprocessor
    if state.get("lab_scan") != where:
        state.lab_scan, state.lab_toys, state.lab_sweep, state.lab_sentence = where, (), None, ""
    if state.lab_toys and state.get("lab_shape", shape) != shape:
        last = state.lab_toys[-1]
        plant(scan, (*state.lab_toys[:-1], Planting(*shape, last.centre, last.seed)))
    state.lab_shape = shape


def lost() -> tuple[str, ...]:
    """What to say where the address was made with toys that are not here: a reload, or somebody else's link."""
    state = st.session_state
    began_without = "lab_toys" not in state and bool(st.query_params.get(TOYS))
    state.lab_lost = state.get("lab_lost", began_without) and not state.get("lab_toys")
    return ("The toys that this address was made with are no longer here; plant them again.",) if state.lab_lost else ()


def note_in_address() -> None:
    """How many toys there are."""
    if st.session_state.lab_toys:
        st.query_params[TOYS] = str(len(st.session_state.lab_toys))
    else:
        st.query_params.pop(TOYS, None)


def plant(scan: OpenScan, toys: Toys) -> None:
    """These toys instead of those there were, unless one of them has no place; why it has none is kept until it has."""
    try:
        cached_toys.planted(scan, toys)
        st.session_state.lab_toys, st.session_state.lab_sentence = toys, ""
    except InputError as error:
        st.session_state.lab_sentence = str(error)


def plant_at(scan: OpenScan, shape: Shape, centre: Voxel) -> None:
    """One toy more."""
    st.session_state.lab_seed = st.session_state.get("lab_seed", 0) + 1
    plant(scan, (*st.session_state.lab_toys, Planting(*shape, centre, st.session_state.lab_seed)))


def thresholds(results: list[Scored]) -> dict[str, float]:
    """By method: where the reader left it, else that of another of its unit, else what 5 % of healthy voxels exceed."""
    known = st.session_state.get("lab_thresholds", {})
    by_unit = {_unit(name): value for name, value in known.items()}
    return {one.name: known.get(one.name, by_unit.setdefault(_unit(one.name), one.thresholds[0.05])) for one in results}


def set_threshold(name: str, value: float, names: tuple[str, ...]) -> None:
    """The threshold of a method and of those of its unit, which the viewer's colours share and which are 0 or more."""
    st.session_state.lab_thresholds |= {other: max(0.0, value) for other in names if _unit(other) == _unit(name)}


def keep_thresholds(found: dict[str, float]) -> None:
    """Where the reader moved them in the viewer."""
    st.session_state.lab_thresholds = st.session_state.get("lab_thresholds", {}) | found


def _unit(name: str) -> str:
    return scorers.SCORERS[name].unit
