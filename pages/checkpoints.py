"""The checkpoints at hand: their list, one with its card and curves, two side by side, an upload, a training."""

import streamlit as st

from pages.shared import inputs
from pages.shared.checkpoints import card, sites, training_job
from pages.shared.checkpoints import views as view
from pages.shared.notices import plain, refuse, sentence
from pages.shared.server import audit, entry, jobs, memory, queue, uploads
from vaead_core.checkpoints import search
from vaead_core.checkpoints.archive import ARCHIVE_BYTES, packed, unpack
from vaead_core.checkpoints.summary import read_history
from vaead_core.errors import InputError

VIEWS = ("Inspect", "Compare", "Upload", "Train", "Calibrate")
state = st.session_state

entry.through_app()
with st.container(horizontal=True, vertical_alignment="bottom"):
    st.header("Checkpoints", anchor=False, width="content")
    st.caption("Research use only, not for diagnosis. What you upload or train is seen by you alone and goes with your session.")
folders = inputs.checkpoints()
known = view.listing(folders)
chosen_view = st.segmented_control(
    "View", VIEWS, default=VIEWS[0], required=True, key="checkpoints_view", label_visibility="collapsed", **inputs.KEPT
)


def inspect() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = _ask("Checkpoint", "inspected", list(known))
        actions = st.container(horizontal=True, width="content")
    with actions:
        st.download_button(
            "Download as .zip", lambda: packed(folders[name]), f"{folders[name].name}.zip", "application/zip",
            on_click="ignore", icon=":material/download:",
        )  # fmt: skip
        view.removing(folders[name])
    checkpoint = view.opened(folders[name])
    view.curves({name: read_history(checkpoint.history)}, "curves")
    view.thresholds({name: checkpoint})
    with st.container(border=True):
        card.show(checkpoint.card)


def compare() -> None:
    if len(known) < 2:
        st.info("There is one checkpoint; upload or train another to compare it with.")
        return
    left, right = st.columns(2)
    with left:
        first = _ask("Checkpoint", "inspected", list(known))
    with right:
        second = _ask("Beside it", "compared", [name for name in known if name != first])
    both = {name: view.opened(folders[name]) for name in (first, second)}
    view.curves({name: read_history(one.history) for name, one in both.items()}, "both_curves")
    view.settings(first, second, known)
    view.thresholds(both)


def _ask(label: str, key: str, names: list[str]) -> str:
    first = names.index(search.DEFAULT) if search.DEFAULT in names else 0
    return st.selectbox(label, names, first, key=key, **inputs.KEPT)


def upload() -> None:
    """The folder that a training writes, as a .zip: every file is checked before it is opened."""
    largest = ARCHIVE_BYTES >> 20
    uploads.expect("archive")
    st.file_uploader(
        "A checkpoint's folder, as a .zip",
        type=["zip"],
        key="archive",
        on_change=take,
        max_upload_size=largest,
        width=inputs.FORM_PIXELS,
    )
    if said := state.get("archive_said"):
        (st.success if said[0] else st.error)(plain(said[1]))
    else:
        st.info("Download one here, or pack a folder that training wrote; then it can be chosen on every page.")


def take() -> None:
    state.archive_said = None
    if (file := state.get("archive")) is None:
        return
    try:
        training_job.refuse_too_many()
        with queue.turn():
            name = unpack(file.getvalue(), file.name, inputs.own_folder(), memory.refuse_to_open).name
        audit.note("checkpoint", "taken", bytes=file.size)
        state.archive_said = True, f"{name} was checked and can be chosen on every page as {name}{inputs.YOURS}."
    except Exception as error:
        if (said := sentence(error)) is None:
            raise
        audit.note("checkpoint", "refused", bytes=file.size)
        state.archive_said = False, said


def train() -> None:
    if lacking := training_job.missing():
        said = f"Training needs {', '.join(lacking)}, not installed on this server; train elsewhere, and upload the checkpoint"
        st.info(plain(said))
        return
    training_job.ask()
    if job := jobs.find(training_job.KEY):
        jobs.show(job, lambda: view.curves(dict([training_job.history()]), "live_curves"))


def calibrate() -> None:
    """Thresholds and percentiles from healthy scans of one's own scanner."""
    brains = [name for name, one in known.items() if one.of_brains]
    if not brains:
        st.info("No checkpoint of brain scans is here; upload or train one.")
        return
    name = _ask("Checkpoint", "calibrated", brains)
    sites.show(folders[name], view.opened(folders[name]))


try:
    if not known and chosen_view in VIEWS[:2]:
        st.info("There is no checkpoint yet; upload one, or train one.")
    else:
        {"Inspect": inspect, "Compare": compare, "Upload": upload, "Train": train, "Calibrate": calibrate}[chosen_view]()
except InputError as error:
    refuse(error)
