"""A small experiment of one's own: what it asks for, its command, and its table when it has ended."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import streamlit as st

from pages.shared import inputs
from pages.shared.cached import results as cached_results
from pages.shared.cached import scans as cached_scans
from pages.shared.server import jobs
from vaead_core import detectors, scorers
from vaead_core.anomalies.toys.datasets import DATASETS
from vaead_core.cohorts import SAMPLES
from vaead_core.errors import InputError
from vaead_core.experiments import records, subjects
from vaead_core.experiments.catalogue import EXPERIMENTS
from vaead_core.experiments.fashion import RECONSTRUCTION
from vaead_core.experiments.report.tables import label
from vaead_core.experiments.runner import share_done

KEY = "evaluation"
KINDS = {"slices": "brain-slices-2mm", "patches": "brain-patches-2mm", "fashion": "fashion-tshirt"}
FIRST_SCORES = {"fashion": [RECONSTRUCTION, "knn"]}
FIRST_MAPS = ["residual", "normalised_residual", "voxel_atlas"]
MOST_SUBJECTS = 4


def ask() -> None:
    """A form; Run starts the job, and finished parts of the last run are not measured again."""
    questions = {kind: EXPERIMENTS[kind].question for kind in KINDS}
    kind = st.selectbox(
        "Experiment", list(KINDS), key="own_kind", format_func=questions.__getitem__, width=inputs.FORM_PIXELS, **inputs.KEPT
    )
    folders = {name: path for name, path in inputs.checkpoints().items() if (kind == "fashion") == name.startswith("fashion")}
    if not folders:
        st.info("No checkpoint fits this experiment; train one, or upload one, on the Checkpoints page.")
        return
    names = list(folders)
    first = names.index(KINDS[kind]) if KINDS[kind] in names else 0
    left, right = st.columns(2, width=inputs.FORM_PIXELS)
    name = left.selectbox("Checkpoint to measure", names, first, key=f"own_checkpoint_{kind}", **inputs.KEPT)
    offered = _scores(kind)
    begin = FIRST_SCORES.get(kind, FIRST_MAPS)
    kept = {"key": f"own_scores_{kind}", **inputs.KEPT}
    scores = right.multiselect("Scores", list(offered), begin, format_func=offered.__getitem__, **kept)
    more = ["--scores", *scores]
    if kind != "fashion":
        toys = left.multiselect("Toys", list(DATASETS), ["circles"], key="own_toys", **inputs.KEPT)
        people = right.slider("Test subjects", 1, MOST_SUBJECTS, 1, key="own_subjects", **inputs.KEPT)
        more += ["--toys", *toys, "--most-subjects", str(people), *_where(folders[name])]
    ready = bool(scores) and (kind == "fashion" or bool(toys))
    lacking: dict[str, Any] = {} if ready else {"disabled": True, "help": "Choose at least one of each."}
    if st.button("Run", type="primary", key="own_run", **lacking):
        jobs.start(KEY, _command(kind, folders[name], more), f"{kind.capitalize()}, {name}", share_done)
        st.session_state.own_name = kind


def _where(folder: Path) -> list[str]:
    """The option that says where the scans are, for a checkpoint whose cohort is not here."""
    checkpoint = cached_scans.checkpoint(folder)
    try:
        subjects.source_of(checkpoint, None)
    except InputError:
        st.caption(
            "The scans that it was trained and tested on are not here; those of its test subjects that are samples are taken."
        )
        return ["--data", SAMPLES]
    return []


def _command(kind: str, checkpoint: Path, more: list[str]) -> list[str]:
    out = cached_results.own_folder()
    records.remove(out, kind)
    command = [sys.executable, "-m", "vaead_core", "evaluate", kind, "--checkpoint", str(checkpoint.resolve())]
    return [*command, "--out", str(out), *more]


def _scores(kind: str) -> dict[str, str]:
    """Name → title of what the experiment can measure."""
    of_images = [] if kind == "patches" else sorted(detectors.DETECTORS)
    maps = [RECONSTRUCTION] if kind == "fashion" else scorers.map_scorers()
    return {name: label(name) for name in maps} | {name: f"{label(name)} (detector)" for name in of_images}


def finished() -> str | None:
    """The name of the table that the last run wrote, while its session lasts."""
    name = st.session_state.get("own_name")
    return name if name in records.recorded(cached_results.own_folder()) else None
