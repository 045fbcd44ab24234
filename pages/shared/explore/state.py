"""Where the reader of the Explore page is, in st.session_state and in the address: crosshair and thresholds."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.shared.viewer import ViewerState, Voxel
from vaead_core.pipeline.findings import Verdict

AT, ABOVE = "at", "above"


def begin(subject: str, shape: tuple[int, ...], foreign: bool = False) -> None:
    """A new session takes crosshair and thresholds from the address; another scan begins without them, or with those of a
    session that was opened.

    foreign: the address was made with another scan than this.
    """
    state, first = st.session_state, "explore_subject" not in st.session_state and not foreign
    restored = state.pop("explore_restored", None)
    if state.get("explore_subject") == subject and not restored:
        return
    at, above = restored or (_whole(st.query_params.get(AT, "")), _thresholds(st.query_params.get(ABOVE, "")))
    state.explore_subject, state.explore_jumps = subject, state.get("explore_jumps", -1) + 1
    state.explore_cursor = _voxel(at, shape) if first or restored else None
    state.explore_thresholds = above if first or restored else {}
    state.explore_given = dict(state.explore_thresholds)
    state.explore_start = state.explore_cursor


def keep(seen: ViewerState) -> None:
    """What the reader moved in the viewer."""
    state = st.session_state
    put(seen.cursor)
    state.explore_thresholds = {**state.explore_thresholds, **seen.thresholds}
    if state.explore_thresholds:
        st.query_params[ABOVE] = "~".join(f"{title}:{value:.4g}" for title, value in state.explore_thresholds.items())


def put(voxel: Voxel) -> None:
    """The crosshair was put there."""
    st.session_state.explore_cursor = voxel
    st.query_params[AT] = ".".join(map(str, voxel))


def jump(voxel: Voxel) -> None:
    """The crosshair goes there in the next run."""
    st.session_state.explore_start = voxel
    st.session_state.explore_jumps += 1


def anew(key: str) -> str:
    """A key that changes with each jump: what is selected already cannot be selected again."""
    return f"{key}_{st.session_state.explore_jumps}"


def verdicts(name: str) -> Callable[[Voxel], Verdict]:
    """What the reader says of the cluster of a map whose peak lies at a voxel, whenever it is asked, in any thread."""
    said, subject = st.session_state.setdefault("explore_verdicts", {}), st.session_state.explore_subject
    return lambda voxel: said.get((subject, name, voxel), Verdict())


def judge(name: str, voxel: Voxel, verdict: Verdict) -> None:
    """Keeps it, as long as the session lasts."""
    state = st.session_state
    state.setdefault("explore_verdicts", {})[state.explore_subject, name, voxel] = verdict


def remember(name: str, voxel: Voxel, verdict: Verdict) -> None:
    """The same of what was said before this session; what was said in it stands."""
    state = st.session_state
    state.setdefault("explore_verdicts", {}).setdefault((state.explore_subject, name, voxel), verdict)


def set_threshold(title: str, value: float) -> None:
    """The mark of a map goes there in the next run."""
    state = st.session_state
    state.explore_thresholds = {**state.explore_thresholds, title: max(0.0, value)}
    state.explore_given = dict(state.explore_thresholds)


def _whole(text: str) -> tuple[int, ...]:
    """Whole numbers of an address; () for what is none."""
    parts = text.split(".")
    return tuple(map(int, parts)) if all(part.isdecimal() and len(part) < 8 for part in parts) else ()


def _voxel(at: tuple[int, ...], shape: tuple[int, ...]) -> Voxel | None:
    """What is no voxel of the scan is as good as none."""
    if len(at) != len(shape) or not all(one < size for one, size in zip(at, shape, strict=True)):
        return None
    i, j, k = at
    return i, j, k


def _thresholds(text: str) -> dict[str, float]:
    found = {}
    for part in text.split("~"):
        title, _, value = part.rpartition(":")
        try:
            found[title] = max(0.0, float(value))
        except ValueError:
            return {}
    return {title: value for title, value in found.items() if value < float("inf")}
