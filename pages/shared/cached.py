"""The only cached functions of the app. Keys are content digests; scans stay in memory, a few at a time."""

import hashlib
from pathlib import Path

import streamlit as st

from vaead_core import scoring
from vaead_core.checkpoint import Checkpoint
from vaead_core.cohorts.synthetic import load_sample
from vaead_core.nifti import map_to_nifti, read_nifti
from vaead_core.volume import Volume


def checkpoint(folder: Path) -> Checkpoint:
    """The checkpoint of `folder`, read once for each version of its description."""
    description = folder / "checkpoint.json"
    stamp = hashlib.blake2b(description.read_bytes()).hexdigest() if description.is_file() else ""
    return _checkpoint(str(folder), stamp)


@st.cache_resource(max_entries=3, show_spinner=False)
def _checkpoint(folder: str, stamp: str) -> Checkpoint:
    return Checkpoint.load(folder)


@st.cache_resource(max_entries=4, show_spinner=False)
def sample(name: str) -> Volume:
    """A sample scan by name."""
    return load_sample(name).scan


@st.cache_resource(max_entries=2, show_spinner=False)
def uploaded(digest: str, name: str, _content: bytes) -> Volume:
    """An uploaded file as a scan; `digest` is that of its bytes."""
    return read_nifti(_content, name)


@st.cache_resource(max_entries=4, show_spinner=False)
def prepared(scan_key: str, checkpoint_digest: str, _scan: Volume, _checkpoint: Checkpoint) -> scoring.PreparedScan:
    """The scan on the checkpoint's atlas grid."""
    return scoring.prepare(_scan, _checkpoint)


@st.cache_resource(max_entries=32, show_spinner=False)
def scored(
    scan_key: str, checkpoint_digest: str, name: str, _prepared: scoring.PreparedScan, _checkpoint: Checkpoint
) -> scoring.Scored:
    """One scorer on a prepared scan."""
    return scoring.score(_prepared, _checkpoint, name)


def native_nifti(prepared_scan: scoring.PreparedScan, model: Checkpoint, result: scoring.Scored) -> bytes:
    """The map as a NIfTI file on the scan's own grid."""
    native = scoring.native_map(prepared_scan, model, result.maps)
    return map_to_nifti(native, prepared_scan.brain.scan)
