"""Scans of one's own, scored as a small study in the session's own folder, in the background."""

from __future__ import annotations

import shutil
import sys
from functools import partial
from pathlib import Path

import streamlit as st
from streamlit.typing import UploadedFile

from pages.shared import inputs
from pages.shared.cached import cohort as cached_cohort
from pages.shared.cached import scans as cached_scans
from pages.shared.cohort import judging
from pages.shared.notices import refuse, warn
from pages.shared.server import audit, jobs, sessions, told, uploads
from vaead_core.errors import InputError
from vaead_core.study.dataset import StudyScan
from vaead_core.study.description import FILE
from vaead_core.study.results import Results, has_records, read_results

KEY = "cohort"
MOST = 50
state = st.session_state


def ask() -> Results | None:
    """The controls, and the job that runs or ran last; what it has found so far. Raises InputError."""
    folder = inputs.ask_checkpoint()
    checkpoint = cached_scans.checkpoint(folder)
    methods = inputs.ask_methods(checkpoint.model)
    uploads.expect("cohort_scans", MOST)
    files = st.file_uploader(
        f"Up to {MOST} T1 scans, .nii or .nii.gz, each of another person", type=["nii", "gz"], key="cohort_scans",
        accept_multiple_files=True, width=inputs.FORM_PIXELS,
    )  # fmt: skip
    st.caption("They are scored in the background by the checkpoint and methods of the sidebar, and go with your session.")
    job = jobs.find(KEY)
    running = job is not None and job.state == jobs.RUNNING
    if st.button("Score", type="primary", disabled=running or not files, icon=":material/play_arrow:", key="cohort_score"):
        try:
            _start(list(files), folder, checkpoint.name, methods)
        except InputError as error:
            refuse(error)
        else:
            st.rerun()
    if job is None:
        return None
    place = _folder()
    found = read_results(place / "out", place) if (place / "out" / FILE).is_file() and has_records(place / "out") else None
    if job.state == jobs.FAILED and found and all(found.is_done(scan) for scan in found.study.scans):
        warn(f"{job.last_sentence} Their notes say why.")
    else:
        jobs.show(job)
    return found


def called(scan: StudyScan) -> str:
    """What the file of a scan was called by whoever uploaded it; "" for one of the server's."""
    here = "own_study" in state and scan.path.is_relative_to(_folder())
    return str(state.cohort_called.get(scan.inside, "")) if here else ""


def is_own(results: Results) -> bool:
    """Whether they are of this session's own scans."""
    return "own_study" in state and results.base == _folder()


def _folder() -> Path:
    """Where this session's own study lies, as long as it lasts; its pictures go with it."""
    known = "own_study" in state
    place = sessions.folder("own_study")
    if not known:
        sessions.at_end(partial(cached_cohort.forget, str(place / "out")))
    return place


def _start(files: list[UploadedFile], folder: Path, checkpoint: str, methods: list[str]) -> None:
    """The scans lie there under numbers for names."""
    if len(files) > MOST:
        raise InputError(f"At most {MOST} scans are scored at once; {len(files)} were given.")
    place = _folder()
    for part in ("raw", "out"):
        shutil.rmtree(place / part, ignore_errors=True)
    cached_cohort.forget(str(place / "out"))
    judging.forget(str(place / "out"))
    audit.note("upload", "cohort", files=len(files), bytes=sum(file.size for file in files))
    state.cohort_called = {}
    for number, file in enumerate(files, 1):
        inside = f"sub-{number:02}/anat/sub-{number:02}_T1w{'.nii.gz' if file.name.lower().endswith('.gz') else '.nii'}"
        (place / "raw" / inside).parent.mkdir(parents=True)
        (place / "raw" / inside).write_bytes(file.getvalue())
        state.cohort_called[inside] = file.name
    command = [sys.executable, "-m", "vaead_core", str(place / "raw"), str(place / "out"), "participant"]
    command += ["--checkpoint", str(folder.resolve()), "--scorers", *methods]
    jobs.start(KEY, command, f"Scoring of {len(files)} scans by {checkpoint}", told.scans_done)
