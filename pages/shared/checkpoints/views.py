"""What is drawn of checkpoints: their list, curves, thresholds, two side by side."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from pages.shared import inputs
from pages.shared.cached import scans as cached_scans
from pages.shared.notices import plain
from pages.shared.server import audit
from vaead_core import scorers
from vaead_core.checkpoints.calibration import RATES
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.checkpoints.summary import Facts, History, facts, side_by_side
from vaead_core.errors import CheckpointError, fault
from vaead_core.figures.curves import PLAIN
from vaead_core.figures.history import history_figure
from vaead_core.scorers.units import units_help


def listing(folders: dict[str, Path]) -> dict[str, Facts]:
    """Draws a row for each checkpoint and a sentence for each that cannot be read, which can be removed; the others, by name."""
    known, sentences = {}, {}
    for name, folder in folders.items():
        try:
            known[name] = facts(folder)
        except CheckpointError as error:
            sentences[folder] = str(error)
        except OSError as error:
            sentences[folder] = f"{name}: {fault(error)}"
    rows = [
        {
            "Name": name, "Images": one.images, "Architecture": one.architecture.replace("_", " "), "Latents": one.latents,
            "Epochs": one.epochs, "MB": one.megabytes,
            "Error, val.": one.ratios.get("validation"), "Error, test": one.ratios.get("test"),
        }
        for name, one in known.items()
    ]  # fmt: skip
    about = "squared error of redrawn healthy images over that of the healthy mean image; below 1 is better than the mean"
    ratio = st.column_config.NumberColumn(format="%.3f", help=about)
    columns = {"Error, val.": ratio, "Error, test": ratio, "MB": st.column_config.NumberColumn(format="%.1f")}
    if rows:
        st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", column_config=columns, alt="List of checkpoints")
        st.caption(f"Error: {about}.")
    for folder, sentence in sentences.items():
        with st.container(horizontal=True, vertical_alignment="center"):
            st.error(plain(sentence))
            removing(folder)
    return known


def removing(folder: Path) -> None:
    """A button that removes a checkpoint of the session's own."""
    if inputs.is_own(folder):
        st.button("Remove", on_click=_remove, args=(folder,), key=f"remove_{folder.name}", icon=":material/delete:")


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    audit.note("checkpoint", "removed")


def curves(histories: dict[str, History], key: str) -> None:
    """Curves of training, overlaid."""
    drawn = {name: history for name, history in histories.items() if history}
    if not drawn:
        st.info("No epoch is recorded yet: scans are prepared first, then curves follow here.")
        return
    st.plotly_chart(history_figure(drawn), key=key, config=PLAIN, width="stretch", alt="Loss, error and KL by epoch")
    st.caption(
        "Lines: validation; dots: training. Loss and error are sums over the pixels of an image. KL: how far "
        "an image's latents lie from those expected of any image, in nats (a unit of information; 1 nat is 1.44 bits)."
    )


def thresholds(checkpoints: dict[str, Checkpoint]) -> None:
    """What 1, 5 and 10 % of healthy brain pixels exceed, by method, for each checkpoint."""
    rows = [
        {"Method": kind.title, "Unit": kind.unit, "Above": f"{100 * rate:.0f} %"}
        | {name: healthy.threshold(rate) for name, healthy in found.items()}
        for method, kind in scorers.SCORERS.items()
        if (found := {name: one.calibration[method] for name, one in checkpoints.items() if _has_map(one, method)})
        for rate in RATES
    ]
    st.subheader("Calibration thresholds", anchor=False)
    if not rows:
        st.info("No map is calibrated; train the checkpoint again.")
        return
    numbers: dict[str, Any] = {name: st.column_config.NumberColumn(format="%.4g") for name in checkpoints}
    numbers["Unit"] = st.column_config.TextColumn(help=units_help(str(row["Unit"]) for row in rows))
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, width="stretch", column_config=numbers, height=280, alt="Thresholds by method"
    )
    st.caption("Above: the share of brain pixels in healthy validation scans that exceeds the value.")


def _has_map(checkpoint: Checkpoint, method: str) -> bool:
    return method in checkpoint.calibration and len(checkpoint.calibration[method].pixels) > 0


def settings(first: str, second: str, known: dict[str, Facts]) -> None:
    """Settings of two, side by side; those that differ are marked and come first."""
    rows = side_by_side(known[first], known[second])
    differing = sum(row.differs for row in rows)
    st.subheader("Settings", anchor=False)
    st.caption(f"{differing} of {len(rows)} differ (≠).")
    table = {
        "≠": ["≠" if row.differs else "" for row in rows], "Setting": [row.name for row in rows],
        first: [row.first for row in rows], f"{second} ": [row.second for row in rows],
    }  # fmt: skip
    narrow = {"≠": st.column_config.TextColumn(width=30)}
    st.dataframe(pd.DataFrame(table), hide_index=True, width="stretch", height=380, column_config=narrow, alt="Settings")


def opened(folder: Path) -> Checkpoint:
    """The checkpoint, checked. Raises CheckpointError."""
    with st.spinner("Opening the checkpoint"):
        return cached_scans.checkpoint(folder)
