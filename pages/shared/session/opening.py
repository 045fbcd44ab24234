"""A session's file opened on Explore: what it names is shown again, and what cannot be is said."""

from __future__ import annotations

import streamlit as st
from streamlit.typing import UploadedFile

from pages.shared import inputs
from pages.shared.cached.scans import OpenScan
from pages.shared.comparison import asking, second_scan
from pages.shared.notices import refuse, warn
from pages.shared.scan_input import YOURS, drop_files
from pages.shared.server import audit, uploads
from pages.shared.session.file import SLOTS, File, Session, read
from vaead_core import scorers
from vaead_core.cohorts.samples import SAMPLES
from vaead_core.errors import InputError, quoted

state = st.session_state


def offer_opening() -> None:
    """In the sidebar, a place for the file once it is asked for, so that no other page or visit has one."""
    with st.sidebar:
        if st.toggle("Open a session", key="session_asked", help="A file that Save made: Session, JSON."):
            uploads.expect("session_file")
            st.file_uploader("A session, .json", type=["json"], key="session_file", on_change=_open, max_upload_size=1)
        if said := state.pop("session_refused", ""):
            refuse(said)


def _open() -> None:
    file = state.get("session_file")
    if not isinstance(file, UploadedFile):
        return
    audit.note("upload", "session", bytes=file.size)
    try:
        session = read(file.getvalue(), file.name)
        _check(session)
    except InputError as error:
        state.session_refused = str(error)
        return
    state.session_asked = False
    _show(session)
    drop_files()


def _check(session: Session) -> None:
    """Raises InputError for one of which too little is here."""
    there = inputs.brain_checkpoints()
    compared, lab = session.compared, session.lab
    for one in (session.checkpoint, compared.checkpoint if compared else None):
        if one and one.name not in there:
            raise InputError(
                f"This session's checkpoint {quoted(one.name)} is not here; upload it on the Checkpoints page first."
            )
    known = (*SAMPLES, YOURS)
    places = [
        (session.scan, known),
        (compared.scan if compared else "", (*known, second_scan.FILE, "")),
        (lab.scan if lab else "", (*known, "")),
    ]
    if unknown := [one for one, allowed in places if one not in allowed]:
        raise InputError(f"This session's scan, the sample {quoted(unknown[0])}, is not in this version of vaead.")
    for called, slot in ((YOURS, "upload"), (second_scan.FILE, "second")):
        if called in [place for place, _ in places] and slot not in session.files:
            raise InputError("This session is of an upload and does not say of which; save it again.")
    if compared and compared.kind not in asking.KINDS:
        raise InputError("This session compares in a way that this version of vaead does not know; update vaead.")
    if not _known(session.methods):
        raise InputError("This session has no method that this version of vaead knows; update vaead.")


def _known(names: tuple[str, ...]) -> list[str]:
    known = [
        name for name in dict.fromkeys(names) if name in scorers.SCORERS and issubclass(scorers.SCORERS[name], scorers.MapScorer)
    ]
    return known[: inputs.MOST_METHODS]


def _show(session: Session) -> None:
    """What the widgets show from the next run on; crosshair and thresholds follow with the scan."""
    state.session_open, state.session_subject, state.lab_given = session, "", ""
    state.session_waits = {name for name, _ in _parts(session)}
    state.pop("session_scale_lost", None)
    state.pop("pair_restored", None)
    state.session_count = state.get("session_count", 0) + 1
    state.checkpoint, state.methods, state.scale = session.checkpoint.name, _known(session.methods), session.scale
    state.compare = session.compared.kind if session.compared else asking.NOTHING
    if one := session.compared:
        given = dict(zip(("pair_map", "pair_second_map"), one.maps, strict=False))
        given |= {
            "pair_checkpoint": one.checkpoint.name if one.checkpoint else "",
            "pair_sample": one.scan if one.scan in SAMPLES else "",
        }
        for key, value in given.items():
            if value:
                state[key] = value
    arrive()


def _parts(session: Session) -> list[tuple[str, str]]:
    """What of it waits for a scan, each with that scan as its list names it."""
    found = [("scan", session.scan)]
    if session.compared:
        found.append(("compared", session.compared.scan or session.scan))
    return [*found, ("lab", session.lab.scan)] if session.lab else found


def _is_there(scan: str) -> bool:
    """Whether a scan of the opened session is at hand, with the mask that it had."""
    if scan == second_scan.FILE:
        return not _unlike("second")
    return scan != YOURS or not (_unlike("upload") or _unlike("mask"))


def arrive() -> None:
    """Crosshair, thresholds, comparison and toys, each as soon as the scan is there that it is of. Before a scan is asked for."""
    session: Session | None = state.get("session_open")
    if not session or not state.session_waits:
        return
    here = {name for name, scan in _parts(session) if name in state.session_waits and _is_there(scan)}
    state.session_waits -= here
    anew = 1 + 1e-9 * state.session_count  # the viewer follows thresholds that differ from those it was given last
    if "scan" in here:
        state.sample, state.lost_scan = session.scan, False
        state.explore_restored = session.crosshair, {title: max(0.0, one) * anew for title, one in session.thresholds.items()}
    if "compared" in here and (one := session.compared):
        if one.scan:
            state.pair_sample = one.scan
        if len(one.thresholds) == 2:
            first, second = (max(0.0, at) * anew for at in one.thresholds)
            state.pair_restored = one.kind, (first, second)
    if "lab" in here and session.lab:
        state.lab_sample, state.lab_given, state.lab_scan, state.lab_toys = session.lab.scan, session.lab.toys, None, ()
        state.pop("lab_address_read", None)


def show_sentences(scan: OpenScan, second: OpenScan | None) -> None:
    """What of the opened session is not as it was, until the reader goes on to another scan. second: that is compared."""
    session: Session | None = state.get("session_open")
    if not session:
        return
    subject = " ".join(scan.digest)
    waits = "scan" in state.session_waits
    if not waits and state.setdefault("session_subject", "") not in ("", subject):
        _leave()
        return
    if not waits:
        state.session_subject = subject
    slots = ["upload"] if waits else list(session.files)  # the places of others come with the scan
    files = [said for slot in slots if (said := _unlike(slot))]
    for said in files + _changed(session, scan, second):
        warn(said)
    if files:
        st.button("Go on without that file", key="session_leave", on_click=_leave)


def _leave() -> None:
    for key in ("session_open", "pair_restored"):
        state.pop(key, None)


def _unlike(slot: str) -> str:
    """Why a file of this session is not the one that it was saved with; "" where it is, or there was none."""
    wanted: File | None = state.session_open.files.get(slot)
    if wanted is None:
        return ""
    what, called = SLOTS[slot], f"{quoted(wanted.name)} ({wanted.size:,} bytes)"
    if not (held := state.get(f"kept_{slot}")):
        until = " Until then another scan is shown." if slot == "upload" and state.session_open.scan == YOURS else ""
        return f"This session's {what} was your file {called}; upload it again in the sidebar.{until}"
    known: dict[str, str] = state.setdefault("session_digests", {})
    if held.key not in known:
        known[held.key] = File.of(held.name, held.content).sha256
    if known[held.key] == wanted.sha256:
        return ""
    return f"{held.name} is not the {what} that this session was saved with, {called}: its content is another."


def _changed(session: Session, scan: OpenScan, second: OpenScan | None) -> list[str]:
    """Sentences on what the session had and is not shown."""
    said = []
    pairs = [(session.checkpoint, scan)] if state.checkpoint == session.checkpoint.name else []
    other = session.compared.checkpoint if session.compared else None
    if other and second and (state.compare, state.get("pair_checkpoint")) == (asking.CHECKPOINT, other.name):
        pairs.append((other, second))
    for named, seen in pairs:
        if named.digest != seen.checkpoint.digest:
            said.append(f"The checkpoint {quoted(named.name)} is another than when this session was saved: its maps may differ.")
    able = scorers.map_scorers(scan.checkpoint.model)
    if lacking := [name for name in session.methods if name not in able or name not in scan.checkpoint.calibration]:
        said.append(f"Of this session's methods, these cannot be had here: {quoted(', '.join(lacking), 200)}.")
    if state.setdefault("session_scale_lost", session.scale != state.scale):
        said.append(f"This session's thresholds were from {quoted(session.scale)}, which is not here.")
    return said
