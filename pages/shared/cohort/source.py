"""Which study the page shows: a folder of results below the server's data folder, or this session's own scans."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.shared import inputs
from pages.shared.cohort import own
from pages.shared.notices import plain, warn
from pages.shared.server import data_folder
from vaead_core.study.results import Results, read_results, result_folders

SOURCES = ("A study on the server", "Your own scans")
NONE_ALLOWED = (
    "This server shows no study: whoever runs it names a data folder by $VAEAD_DATA. Drop scans under Your own scans instead."
)
NOTHING = (
    "No results of a study lie below the server's data folder. vaead BIDS_DIR OUT participant makes them there; or drop scans "
    "under Your own scans."
)


def ask(row: DeltaGenerator) -> Results | None:
    """None where there is none yet, which is said. row: where the study is chosen. Raises InputError."""
    source = row.segmented_control(
        "Study", SOURCES, default=SOURCES[0 if data_folder.allowed() else 1], required=True, key="cohort_source",
        label_visibility="collapsed", **inputs.KEPT,
    )  # fmt: skip
    if source == SOURCES[1]:
        return own.ask()
    if not data_folder.allowed():
        st.info(plain(NONE_ALLOWED))
        return None
    base = data_folder.base()
    names = [folder.relative_to(base).as_posix() for folder in result_folders(base)]
    if not names:
        st.info(plain(NOTHING))
        return None
    inputs.drop_unless("cohort_folder", names)
    name = row.selectbox("Results", names, key="cohort_folder", persist_state="session", label_visibility="collapsed", width=420)
    found = read_results(data_folder.folder_of(name), base)
    if found.raw is None:
        warn(
            "The dataset of these results is not below the server's data folder: no participants.tsv, and no scan can be opened."
        )
    return found
