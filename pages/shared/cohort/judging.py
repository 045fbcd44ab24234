"""What was said of clusters of a study's scans in this session: on Explore, of a scan that was opened there, and in a file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import streamlit as st

from pages.shared import scan_input
from pages.shared.explore import state as explore_state
from vaead_core.errors import InputError
from vaead_core.pipeline.findings import Finding, Verdict
from vaead_core.study.verdicts import Judged, Key

MOST = 10_000
state = st.session_state


@dataclass(frozen=True)
class StudyScanOpened:
    """whose: the study's folder of results. scan: by its table. content: sha256 of the file that was scored.

    upload: what the session's own scan is known by.
    """

    whose: str
    scan: str
    content: str
    upload: str


def opened(whose: str, scan: str, content: str) -> None:
    """The session's own scan is one of a study from now on."""
    state.cohort_opened = StudyScanOpened(whose, scan, content, state.kept_upload.key)


def shown() -> StudyScanOpened | None:
    """The study's scan that Explore shows; None where it shows another."""
    of, upload = state.get("cohort_opened"), state.get("kept_upload")
    return of if of and upload and upload.key == of.upload and state.get("sample") == scan_input.YOURS else None


def gather(of: StudyScanOpened, method: str, checkpoint: str, threshold: float, finding: Finding) -> None:
    """Keeps what was said of a cluster; nothing, where nothing is said any more."""
    one = Judged(of.scan, of.content, method, checkpoint, threshold, finding)
    if finding.verdict == Verdict():
        _all(of.whose).pop(one.key, None)
    else:
        _all(of.whose)[one.key] = one


def gathered(whose: str) -> list[Judged]:
    """All of a study, by scan, method and volume."""
    return sorted(_all(whose).values(), key=lambda one: (one.scan, one.method, -one.finding.cluster.volume_ml))


def take(whose: str, judged: Iterable[Judged]) -> int:
    """Adds those of clusters that nothing was said of in this session, and says how many. Raises InputError."""
    known = _all(whose)
    new = {one.key: one for one in judged if one.key not in known}
    if len(known) + len(new) > MOST:
        raise InputError(f"A session holds at most {MOST} verdicts of a study; with this file there would be more.")
    known.update(new)
    return len(new)


def take_up(checkpoint: str) -> None:
    """What was said of the scan that Explore shows, in a file too, stands there."""
    if of := shown():
        for one in _all(of.whose).values():
            if one.scan == of.scan and one.checkpoint == checkpoint:
                explore_state.remember(one.method, one.finding.cluster.voxel, one.finding.verdict)


def forget(whose: str) -> None:
    """When its scans become others."""
    _all(whose).clear()


def _all(whose: str) -> dict[Key, Judged]:
    found: dict[Key, Judged] = state.setdefault("cohort_verdicts", {}).setdefault(whose, {})
    return found
