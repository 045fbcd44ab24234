"""What Explore shows, taken down for a session's file."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import streamlit as st

from pages.shared.cached.scans import OpenScan
from pages.shared.comparison import asking
from pages.shared.comparison.opening import Pair
from pages.shared.explore.offering import offer
from pages.shared.scan_input import Upload
from pages.shared.session.file import MOST_TOYS, SLOTS, Compared, File, Lab, Named, Session
from pages.shared.toy_lab import address
from pages.shared.toy_lab import state as lab_state
from vaead_core import scorers
from vaead_core.cohorts.samples import SAMPLES

ABOUT = (
    "Scan, checkpoint, maps, thresholds, crosshair, comparison and the lab's toys, to be opened again in the sidebar. Of your "
    "own files it holds name, size and digest, no content; verdicts go into Findings, TSV."
)


def offer_session(scan: OpenScan, pair: Pair | None, stem: str) -> None:
    """A small file. pair: what is compared."""
    state = st.session_state
    held = {slot: one for slot in SLOTS if _is_used(slot, pair) and (one := state.get(f"kept_{slot}"))}
    offer("Session, JSON", partial(_written, _now(scan, pair), held), "session", f"{stem}_session.json", ABOUT)


def _written(session: Session, held: dict[str, Upload]) -> str:
    return replace(session, files={slot: File.of(one.name, one.content) for slot, one in held.items()}).to_json()


def _is_used(slot: str, pair: Pair | None) -> bool:
    """Whether what is shown needs that file."""
    state = st.session_state
    if slot == "second":
        return bool(pair and pair.kind == asking.SCAN) and state.get("pair_sample") not in SAMPLES
    shown = {state.get("sample"), state.get("lab_sample") if state.get("lab_toys") else None}
    if pair and pair.kind == asking.SCAN:
        shown.add(state.get("pair_sample"))
    return bool(shown - {None, *SAMPLES})


def _now(scan: OpenScan, pair: Pair | None) -> Session:
    state = st.session_state
    compared = None
    if pair:
        second = pair.scans[1].checkpoint
        other = Named(state.pair_checkpoint, second.digest) if pair.kind == asking.CHECKPOINT else None
        which = state.pair_sample if pair.kind == asking.SCAN else ""
        compared = Compared(pair.kind, other, which, pair.names, state.pair_thresholds)
    shown = {scorers.SCORERS[name].title for name in state.methods}
    thresholds = {title: at for title, at in state.explore_thresholds.items() if title in shown}
    return Session(
        Named(state.checkpoint, scan.checkpoint.digest), state.sample, tuple(state.methods), state.scale,
        state.explore_cursor or (), thresholds, compared, _lab(scan),
    )  # fmt: skip


def _lab(scan: OpenScan) -> Lab | None:
    """The lab's toys, where the scan that they lie in is still its scan, and the checkpoint's grid theirs; those of a session
    that was opened, until the lab takes them."""
    state = st.session_state
    if waiting := state.get("lab_given"):
        return Lab(state.lab_sample, waiting)
    toys = state.get("lab_toys")
    if not toys or state.lab_within != lab_state.shown_in() or state.lab_scan[1] != scan.checkpoint.preprocessor:
        return None
    text = address.encoded(toys)
    return Lab(state.lab_sample, text) if len(text) <= MOST_TOYS else None
