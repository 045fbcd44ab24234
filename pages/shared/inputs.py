"""What each page of a scan asks for in the sidebar besides the scan: checkpoint and methods. Pages share the answers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import streamlit as st

from pages.shared.cached import scans as cached_scans
from pages.shared.cached.scans import OpenScan
from pages.shared.notices import refuse, warn
from pages.shared.server import sessions
from vaead_core import scorers
from vaead_core.checkpoints import search
from vaead_core.checkpoints.checkpoint import Checkpoint, find_checkpoints
from vaead_core.checkpoints.site import Site, find_sites
from vaead_core.checkpoints.summary import facts
from vaead_core.errors import CheckpointError, InputError
from vaead_core.inference.model import Model
from vaead_core.pipeline import scoring

WHOSE: dict[scoring.Scale, str] = {"scan": "this scan", "healthy": "the training site"}
SCALES_HELP = (
    "This scan's: thresholds and percentiles count from where most of a map lies in this scan, so that another scanner "
    "does not mark the whole brain; of a lesion that fills much of the brain less is marked. The training site's: the values as "
    "they are beside the training site's healthy brains, right for scans of that scanner alone. A site's: the values as they are "
    "beside healthy scans of that scanner, for which the Checkpoints page calibrates."
)
YOURS = " (yours)"  # after the name of a session's own checkpoint
PREFERRED = ("logistic_fusion", "segmenter", "smoothed_residual", "voxel_atlas", "normalised_residual", "residual")
MOST_METHODS = 4
WHICH = "Which method"  # the view of Benchmark that says which map to look at for what
FORM_PIXELS = 720  # the width of a form, which is read from left to right
_SITE = "site "  # before the name of one among the choices

KEPT: dict[str, Any] = {"persist_state": "session", "bind": "query-params"}  # on other pages, and in the address


def checkpoints() -> dict[str, Path]:
    """Name → folder: those of the server, and this session's own, uploaded or trained, which no other session sees."""
    own = find_checkpoints(own_folder()) if "own_checkpoints" in st.session_state else []
    return search.available() | {f"{path.name}{YOURS}": path for path in own}


def own_folder() -> Path:
    """Where this session's own checkpoints lie, as long as it lasts."""
    return sessions.folder("own_checkpoints")


def is_own(folder: Path) -> bool:
    """Whether a checkpoint is this session's own, whatever it is called."""
    return "own_checkpoints" in st.session_state and folder.parent == own_folder()


def brain_checkpoints() -> dict[str, Path]:
    """Those of `checkpoints` that are of brain scans."""
    return {name: path for name, path in checkpoints().items() if _of_brains(path)}


def ask_checkpoint() -> Path:
    """The folder of a checkpoint of brain scans; the page ends with a sentence where there is none."""
    folders, state = brain_checkpoints(), st.session_state
    with st.sidebar:
        if not folders:
            places = " or ".join(folder.name for folder in search.folders())
            refuse(f"No checkpoint lies in {places}; train or upload one on the Checkpoints page.")
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
    first: list[str] | None = [name for name in PREFERRED if name in titles][:MOST_METHODS]
    before = st.session_state.get("methods", first)
    if there := [name for name in before if name not in titles]:
        st.session_state.methods, first = [name for name in before if name not in there], None
    with st.sidebar:
        chosen = st.multiselect(
            "Methods, two to four", list(titles), first,
            format_func=titles.__getitem__, max_selections=MOST_METHODS, key="methods", **KEPT,
        )  # fmt: skip
    if not chosen:
        raise InputError("Choose at least one method in the sidebar.")
    return chosen


def sites(folder: Path, checkpoint: Checkpoint) -> dict[str, Path]:
    """Name → file of the sites that a checkpoint was calibrated for: beside its folder, and this session's own."""
    own = find_sites(folder, own_sites(checkpoint)) if "own_sites" in st.session_state else {}
    return find_sites(folder) | {f"{name}{YOURS}": path for name, path in own.items()}


def own_sites(checkpoint: Checkpoint) -> Path:
    """Where this session's own calibrations of a checkpoint lie, as long as it lasts."""
    place = sessions.folder("own_sites") / checkpoint.digest[:16]
    place.mkdir(exist_ok=True)
    return place


def drop_unless(key: str, offered: Iterable[str]) -> None:
    """A choice that is offered no longer is none, before it is asked for."""
    if st.session_state.get(key) not in (None, *offered):
        del st.session_state[key]


def ask_thresholds(folder: Path, checkpoint: Checkpoint) -> tuple[scoring.Scale, Site | None]:
    """On which scale maps are compared, and with whose healthy brains: a site's, or None for the training site's.

    Raises CheckpointError for a site's file that is damaged or another checkpoint's.
    """
    known = {f"{_SITE}{name}": path for name, path in sites(folder, checkpoint).items()}
    drop_unless("scale", [*WHOSE, *known])
    with st.sidebar:
        chosen: str = st.segmented_control(
            "Thresholds from", [*WHOSE, *known], format_func=_whose, default="scan", required=True, key="scale",
            help=SCALES_HELP, **KEPT,
        )  # fmt: skip
    if chosen in known:
        return "healthy", cached_scans.site(known[chosen], checkpoint)
    return ("healthy" if chosen == "healthy" else "scan"), None


def _whose(choice: str) -> str:
    return next((called for scale, called in WHOSE.items() if scale == choice), choice.removeprefix(_SITE))


def score_all(scan: OpenScan, names: list[str]) -> tuple[list[scoring.Scored], list[str]]:
    """The scan by each method, and a sentence for each method that the checkpoint was not calibrated for."""
    results, sentences = [], []
    for name in names:
        try:
            results.append(cached_scans.scored(scan, name))
        except CheckpointError as error:
            sentences.append(str(error))
    return results, sentences
