"""A checkpoint calibrated on healthy scans of one's own scanner: what is asked for, its job, and what came of it."""

from __future__ import annotations

import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path

import pandas as pd
import streamlit as st
from streamlit.typing import UploadedFile

from pages.shared import inputs
from pages.shared.cached import scans as cached_scans
from pages.shared.notices import plain, refuse, sentence
from pages.shared.server import audit, data_folder, jobs, sessions, told, uploads
from vaead_core import scorers
from vaead_core.checkpoints.calibration import RATES
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.checkpoints.site import LEAST, MOST, MOST_BYTES, Site, site_file
from vaead_core.errors import CheckpointError, InputError
from vaead_core.pipeline.scoring import SCALES

KEY = "site"
SOURCES = ("Upload scans", "A folder on the server", "Upload a calibration")
state = st.session_state


def show(folder: Path, checkpoint: Checkpoint) -> None:
    """The controls, the job that runs or ran last, and the sites that are known."""
    _ask(folder, checkpoint)
    if job := jobs.find(KEY):
        jobs.show(job)
        if called := state.get("site_called"):
            st.caption(plain(f"In its log: {called}."))
    _known(folder, checkpoint)


def _ask(folder: Path, checkpoint: Checkpoint) -> None:
    choices = [one for one in SOURCES if one != SOURCES[1] or data_folder.allowed()]
    source = st.segmented_control("Healthy scans", choices, default=choices[0], required=True, key="site_source", **inputs.KEPT)
    if source == SOURCES[2]:
        uploads.expect("site_archive")
        st.file_uploader(
            "What a calibration wrote, .npz", type=["npz"], key="site_archive", on_change=_take, args=(folder, checkpoint),
            max_upload_size=MOST_BYTES >> 20, width=inputs.FORM_PIXELS,
        )  # fmt: skip
        if (said := state.get("site_said")) and said[2] == checkpoint.digest:
            (st.success if said[0] else st.error)(plain(said[1]))
        return
    name = st.text_input(
        "Name of the scanner", "my-scanner", max_chars=60, key="site_name", width=inputs.FORM_PIXELS, **inputs.KEPT
    )
    if source == SOURCES[0]:
        uploads.expect("site_scans", MOST)
        files = st.file_uploader(
            f"T1 scans of {LEAST} to {MOST} healthy people, all of one scanner: .nii or .nii.gz", type=["nii", "gz"],
            key="site_scans", accept_multiple_files=True, width=inputs.FORM_PIXELS,
        )  # fmt: skip
    else:
        text = st.text_input(
            f"Folder of T1 scans of {LEAST} to {MOST} healthy people",
            key="site_folder",
            persist_state="session",
            width=inputs.FORM_PIXELS,
        )
    running = (job := jobs.find(KEY)) is not None and job.state == jobs.RUNNING
    if st.button("Calibrate", type="primary", disabled=running, icon=":material/play_arrow:"):
        try:
            out = site_file(folder, name.strip(), inputs.own_sites(checkpoint))
            command = [sys.executable, "-m", "vaead_core", "calibrate", str(folder.resolve()), "--out", str(out)]
            command += ["--name", name.strip(), "--healthy"]
            if source == SOURCES[0]:
                _start_on_uploads(command, list(files), checkpoint)
            else:
                _start([*command, str(data_folder.folder_of(text))], checkpoint)
                state.site_called = ""
        except InputError as error:
            refuse(error)
        else:
            st.rerun()


def _start_on_uploads(command: list[str], files: list[UploadedFile], checkpoint: Checkpoint) -> None:
    """The scans lie in the session's own folder under numbers for names, until the job has ended."""
    if not LEAST <= len(files) <= MOST:
        raise InputError(f"A site is calibrated on {LEAST} to {MOST} healthy scans; {len(files)} were given.")
    place = Path(tempfile.mkdtemp(dir=sessions.folder("own_healthy")))
    remove = partial(shutil.rmtree, place, True)
    try:
        audit.note("upload", "healthy scans", files=len(files), bytes=sum(file.size for file in files))
        called = {f"scan_{at:02}": file.name for at, file in enumerate(files, 1)}
        for number, file in zip(called, files, strict=True):
            (place / f"{number}{'.nii.gz' if file.name.lower().endswith('.gz') else '.nii'}").write_bytes(file.getvalue())
        _start([*command, str(place)], checkpoint, remove)
    except BaseException:
        remove()
        raise
    state.site_called = ", ".join(f"{number} is {name}" for number, name in called.items())


def _start(command: list[str], checkpoint: Checkpoint, at_end=lambda: None) -> None:
    jobs.start(KEY, command, f"Calibration of {checkpoint.name}", told.scans_done, at_end)


def _take(folder: Path, checkpoint: Checkpoint) -> None:
    """An uploaded calibration is this session's own, once it is checked."""
    state.site_said = None
    if (file := state.get("site_archive")) is None:
        return
    try:
        site = Site.read(file.getvalue(), checkpoint, file.name)
        site_file(folder, site.name, inputs.own_sites(checkpoint)).write_bytes(file.getvalue())
        audit.note("upload", "calibration", bytes=file.size)
        done = f"{site.name} was checked and can be chosen in Explore, under Thresholds from."
        state.site_said = True, done, checkpoint.digest
    except Exception as error:
        if (said := sentence(error)) is None:
            raise
        state.site_said = False, said, checkpoint.digest


def _known(folder: Path, checkpoint: Checkpoint) -> None:
    """One site: what its thresholds mark of its own scans, its file."""
    known = inputs.sites(folder, checkpoint)
    st.subheader("Sites", anchor=False)
    if not known:
        said = f"{checkpoint.name} is calibrated for no site yet; it compares scans with healthy ones of its training site."
        st.info(plain(said))
        return
    inputs.drop_unless("site_shown", known)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox("Site", list(known), key="site_shown")
        actions = st.container(horizontal=True, width="content")
    try:
        site = cached_scans.site(known[name], checkpoint)
    except CheckpointError as error:
        refuse(error)
        site = None
    with actions:
        if site:
            st.download_button("Download", site.packed, known[name].name, on_click="ignore", icon=":material/download:")
        if name.endswith(inputs.YOURS):
            st.button("Remove", on_click=known[name].unlink, args=(True,), key="site_remove", icon=":material/delete:")
    if site:
        st.caption(
            f"{site.scans} healthy scans. Of each, the share above the thresholds that the others give, which are to mark 1, 5 "
            "and 10 %: median, least and largest. The command line takes the downloaded file too."
        )
        st.dataframe(_left_out(site), hide_index=True, width="stretch", height=280, alt="What is marked of left-out scans")


def _left_out(site: Site) -> pd.DataFrame:
    rows, titles = [], {str(scale): title for scale, title in SCALES.items()}
    for name, scale in sorted(site.left_out, key=lambda key: (key[1], scorers.SCORERS[key[0]].title)):
        row = {"Method": scorers.SCORERS[name].title, "Compared on": titles[scale]}
        for rate in RATES:
            median, low, high = (100 * share for share in site.left_out_shares(name, scale, rate))
            row[f"At {100 * rate:.0f} %"] = f"{median:.1f} ({low:.1f} to {high:.1f})"
        rows.append(row)
    return pd.DataFrame(rows)
