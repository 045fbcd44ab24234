"""A training started from a page: what it asks for, its command, and its curves while it runs."""

from __future__ import annotations

import re
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import streamlit as st

from pages.shared import inputs
from pages.shared.notices import refuse
from pages.shared.server import data_folder, jobs
from vaead_core.checkpoints.archive import NAME, free_name
from vaead_core.checkpoints.checkpoint import find_checkpoints
from vaead_core.checkpoints.summary import History, read_history
from vaead_core.errors import InputError

KEY = "training"
NEEDS = ("torch", "lightning_fabric", "onnx", "safetensors", "pydantic", "tyro")
MOST_OWN = 8
PRESETS = {
    "quick": "Small: axial slices, width 16",
    "brain-slices-2mm": "Half width: axial slices, width 32",
    "brain-patches-2mm": "Patches of 32 × 32, width 32",
}


def missing() -> list[str]:
    """Packages that a training needs and that are not installed; none of them is imported."""
    return [name for name in NEEDS if find_spec(name) is None]


def ask() -> None:
    """The controls; starts the job."""
    left, right = st.columns(2, width=inputs.FORM_PIXELS)
    with left:
        preset = st.selectbox("Network", PRESETS, format_func=PRESETS.__getitem__, key="train_preset", **inputs.KEPT)
        choices = ["Synthetic brains", *(["A folder on the server"] if data_folder.allowed() else [])]
        source = st.segmented_control("Scans", choices, default=choices[0], required=True, key="train_scans", **inputs.KEPT)
        if source == choices[0]:
            count = st.slider("Number of brains", 5, 40, 10, key="train_brains", **inputs.KEPT)
        else:
            text = st.text_input("Folder of skull-stripped T1 scans, all healthy", key="train_folder", persist_state="session")
    with right:
        name = st.text_input("Name", "my-model", max_chars=60, key="train_name", **inputs.KEPT)
        epochs = st.slider("Epochs", 1, 200, 10, key="train_epochs", **inputs.KEPT)
        seed = st.number_input("Seed", 0, 9999, 0, key="train_seed", **inputs.KEPT)
    running = (job := jobs.find(KEY)) is not None and job.state == jobs.RUNNING
    if st.button("Start training", type="primary", disabled=running, icon=":material/play_arrow:"):
        try:
            data = f"synthetic:{count}" if source == choices[0] else str(data_folder.folder_of(text))
            _start(name.strip(), [preset, "--data", data, "--epochs", str(epochs), "--seed", str(seed)])
        except InputError as error:
            refuse(error)
        else:
            st.rerun()


def refuse_too_many() -> None:
    """Raises InputError when this session has as many checkpoints of its own as it may."""
    if len(find_checkpoints(inputs.own_folder())) >= MOST_OWN:
        raise InputError(f"This session has {MOST_OWN} checkpoints of its own, which is the most; remove one first.")


def _start(name: str, settings: list[str]) -> None:
    """A cancelled training goes on when it is started again with the same name and settings."""
    if not NAME.fullmatch(name):
        raise InputError("A name takes letters, digits, - and _, and begins with a letter or digit.")
    refuse_too_many()
    out = free_name(inputs.own_folder(), name)
    epochs = int(settings[settings.index("--epochs") + 1])
    command = [sys.executable, "-m", "training.run", *settings, "--out", str(out)]

    def listen(line: str) -> float | None:
        found = re.match(r"epoch (\d+) ", line)
        return int(found[1]) / epochs if found else None

    if st.session_state.get("train_command") != command:
        shutil.rmtree(_unfinished(out), ignore_errors=True)
    jobs.start(KEY, command, f"Training of {out.name}", listen)
    st.session_state.train_command = command


def history() -> tuple[str, History]:
    """Name of the last training, and its epochs so far, each a row; empty before the first has ended."""
    out = Path(st.session_state.train_command[-1])
    for folder in (_unfinished(out), out):
        if (folder / "history.csv").is_file():
            return out.name, read_history((folder / "history.csv").read_text())
    return out.name, {}


def _unfinished(out: Path) -> Path:
    return out.with_name(f"{out.name}.unfinished")
