"""A scan of a study, opened on the Explore page as this session's own."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.shared import inputs, scan_input
from pages.shared.cohort import judging, own
from pages.shared.server import memory, uploads
from vaead_core import scorers
from vaead_core.errors import InputError
from vaead_core.study.dataset import StudyScan, find_study
from vaead_core.study.results import Results

EXPLORE = "pages/explore.py"


def open_in_explore(results: Results, scan: StudyScan, method: str) -> None:
    """With its brain's mask where derivatives had one, its checkpoint and `method` where they are here. Raises InputError."""
    name = own.called(scan) or scan.path.name
    read = _read(results, scan.path)
    record = results.record(scan)
    masked = record.get("brain_found_by") == "mask" and results.raw is not None
    mask = _mask(results, scan) if masked else None
    scan_input.take((name, read), (mask.name, _read(results, mask)) if mask else None)
    judging.opened(str(results.out), scan.name.scan, results.content_digest(scan))
    state = st.session_state
    if (checkpoint := record.get("checkpoint", {}).get("name")) in inputs.checkpoints():
        state.checkpoint = checkpoint
        methods = sorted((one for one in record["found"] if one in scorers.SCORERS), key=lambda one: one != method)
        if methods:
            state.methods = methods[: inputs.MOST_METHODS]
    st.switch_page(EXPLORE)


def _read(results: Results, file: Path) -> bytes:
    try:
        size = file.stat().st_size
    except OSError as error:
        raise InputError(f"{file.name} is no longer there; choose another scan.") from error
    memory.refuse_to_take(uploads.BYTES_A_BYTE * size)
    return results.content(file)


def _mask(results: Results, scan: StudyScan) -> Path | None:
    """That of the derivatives that it was scored with."""
    found = find_study(results.study.folder, results.out, [scan.participant])
    return next(one.mask for one in found.scans if one.name == scan.name)
