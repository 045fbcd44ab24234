"""What each page of a scan asks for in the sidebar: scan, checkpoint, methods. Pages share the answers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from streamlit.typing import UploadedFile

from pages.shared.cached import scans as cached_scans
from pages.shared.cached.scans import OpenScan
from pages.shared.notices import plain, warn
from pages.shared.server import sessions, uploads
from vaead_core import scorers
from vaead_core.checkpoints import search
from vaead_core.checkpoints.checkpoint import find_checkpoints
from vaead_core.checkpoints.summary import facts
from vaead_core.cohorts.synthetic import SAMPLES
from vaead_core.errors import CheckpointError, InputError
from vaead_core.inference.model import Model
from vaead_core.pipeline import scoring
from vaead_core.scans.volume import Volume

YOURS = " (yours)"  # after the name of a session's own checkpoint
PREFERRED = ("logistic_fusion", "segmenter", "smoothed_residual", "voxel_atlas", "normalised_residual", "residual")
MOST_METHODS = 4

KEPT: dict[str, Any] = {"persist_state": "session", "bind": "query-params"}  # on other pages, and in the address


@dataclass(frozen=True)
class Upload:
    """A file of one session. key: of its content."""

    name: str
    content: bytes
    key: str


@dataclass(frozen=True)
class Request:
    """The scan that a page shall open: a sample by name, or an upload."""

    sample: str
    upload: Upload | None

    def read(self) -> tuple[str, Volume, np.ndarray | None]:
        """Key of its content, the scan, the truth of a sample. Raises ScanError."""
        if self.upload is None:
            sample = cached_scans.sample(self.sample)
            return self.sample, sample.scan, sample.truth
        one = self.upload
        return one.key, cached_scans.uploaded(one.key, one.name, one.content), None


def ask_scan(key: str, first: int) -> Request:
    """A sample or an upload, which stays open on other pages. first: the sample that a page begins with."""
    with st.sidebar:
        sample = st.selectbox("Sample scan", SAMPLES, first, format_func=str.capitalize, key=key, **KEPT)
        shown = st.file_uploader(
            "Or your own: a skull-stripped T1, .nii or .nii.gz", type=["nii", "gz"], key="upload", on_change=_keep_upload
        )
        kept = st.session_state.get("kept_upload")
        if shown is not None and not kept:
            st.error("That file was lost on its way to the server; choose it again.")
        if kept and shown is None:
            st.button(plain(f"Close {kept.name}"), on_click=_keep_upload, width="stretch")
    return Request(sample, kept)


def _keep_upload() -> None:
    """The uploader's file goes with its page; what it held goes when it is closed, or its session ends."""
    state = st.session_state
    if "own_scans" not in state:
        state.own_scans = set()
        sessions.at_end(partial(_forget, state.own_scans))
    _forget(state.own_scans)
    state.kept_upload = None
    file = state.get("upload")
    if isinstance(file, UploadedFile):
        content = file.getvalue()
        state.kept_upload = Upload(file.name, content, hashlib.blake2b(content).hexdigest())
        state.own_scans.add(state.kept_upload.key)
    state.sent = uploads.drop(state.get("sent", set()), besides=file.file_id if file else "")


def _forget(scans: set[str]) -> None:
    for key in scans:
        cached_scans.forget(key)
    scans.clear()


def checkpoints() -> dict[str, Path]:
    """Name → folder: those of the server, and this session's own, uploaded or trained, which no other session sees."""
    own = find_checkpoints(own_folder()) if "own_checkpoints" in st.session_state else []
    return search.available() | {f"{path.name}{YOURS}": path for path in own}


def own_folder() -> Path:
    """Where this session's own checkpoints lie, as long as it lasts."""
    return sessions.folder("own_checkpoints")


def ask_checkpoint() -> Path:
    """The folder of a checkpoint of brain scans; the page ends with a sentence where there is none."""
    folders, state = {name: path for name, path in checkpoints().items() if _of_brains(path)}, st.session_state
    with st.sidebar:
        if not folders:
            places = " or ".join(folder.name for folder in search.folders())
            st.error(f"No checkpoint lies in {places}; train one with: python -m training.run")
            st.stop()
        names = list(folders)
        first = names.index(search.DEFAULT) if search.DEFAULT in names else 0
        before, chosen = state.get("checkpoint_shown"), st.selectbox("Checkpoint", names, first, key="checkpoint", **KEPT)
        if before and before not in names:
            warn(f"The checkpoint {before} is no longer there; {chosen} is shown instead.")
        state.checkpoint_shown = chosen
        return folders[chosen]


def _of_brains(folder: Path) -> bool:
    """False for pictures; what cannot be read stays, for its sentence."""
    try:
        return facts(folder).of_brains
    except (CheckpointError, OSError):
        return True


def ask_methods(model: Model) -> list[str]:
    """One to four map scorers of those that `model` can have; what was chosen before stays where it still can.

    Raises InputError for none.
    """
    titles = {name: kind.title for name, kind in scorers.map_scorers(model).items()}
    first = None if "methods" in st.session_state else [name for name in PREFERRED if name in titles][:MOST_METHODS]
    if first is None:
        st.session_state.methods = [name for name in st.session_state.methods if name in titles]
    with st.sidebar:
        chosen = st.multiselect(
            "Methods, two to four", list(titles), first,
            format_func=titles.__getitem__, max_selections=MOST_METHODS, key="methods", **KEPT,
        )  # fmt: skip
    if not chosen:
        raise InputError("Choose at least one method in the sidebar.")
    return chosen


def score_all(scan: OpenScan, names: list[str]) -> tuple[list[scoring.Scored], list[str]]:
    """The scan by each method, and a sentence for each method that the checkpoint was not calibrated for."""
    results, sentences = [], []
    for name in names:
        try:
            results.append(cached_scans.scored(scan, name))
        except CheckpointError as error:
            sentences.append(str(error))
    return results, sentences
