"""A scan, sample or uploaded, through one checkpoint: maps of two to four methods side by side."""

from pathlib import Path

import pandas as pd
import streamlit as st

from pages.shared import cached, inputs
from pages.shared.viewer import viewer
from vaead_core import scorers, scoring
from vaead_core.aggregates import DEFAULT
from vaead_core.errors import InputError

st.header("Explore", anchor=False)
st.caption("Research use only, not for diagnosis.")

request, folder = inputs.ask_scan("sample", first=1), inputs.ask_checkpoint()
try:
    progress = st.empty()
    with progress.status("Opening the checkpoint", expanded=False) as status:
        checkpoint = cached.checkpoint(folder)
        methods = inputs.ask_methods(checkpoint.model)
        status.update(label="Reading the scan")
        key, scan, truth = request.read()
        status.update(label="Registering to the SRI24 atlas")
        prepared = cached.prepared(key, checkpoint.digest, scan, checkpoint)
        status.update(label="Scoring")
        results, sentences = inputs.score_all(key, checkpoint, prepared, methods)
        layers = [cached.map_layer(key, checkpoint.digest, one.name, prepared, checkpoint, one) for one in results]
        redrawn = cached.reconstruction_layer(key, checkpoint.digest, prepared, checkpoint)
    progress.empty()
except InputError as error:
    st.error(str(error))
    st.stop()

titles = {name: kind.title for name, kind in scorers.map_scorers().items()}
for warning in [*sentences, *scoring.warnings(prepared, results)]:
    st.warning(warning)
if not results:
    st.stop()


@st.fragment
def show() -> None:
    """The viewer and the scores; a click in the viewer runs this alone."""
    state = viewer(
        cached.scan_layer(key, "Scan", scan.data), layers, scan.affine, key="explore",
        file_voxels=scan.native.voxels_from_ras if scan.native else None, reconstruction=redrawn,
        truth=None if truth is None else cached.scan_layer(key, "Truth", truth),
    )  # fmt: skip
    downloads = st.container(horizontal=True)
    for result in results:
        downloads.download_button(
            f"{titles[result.name]} as NIfTI", lambda result=result: cached.native_nifti(prepared, checkpoint, result),
            f"{Path(scan.name).name.split('.')[0]}_{result.name}.nii.gz", on_click="ignore", key=f"nifti_{result.name}",
        )  # fmt: skip
    row = checkpoint.preprocessor.row_at(state.cursor, prepared.slices, prepared.brain)
    healthy = checkpoint.calibration[results[0].name]
    st.subheader("Scores of the whole scan")
    table = {
        "Method": [titles[result.name] for result in results],
        "Score (mean of the top 10 %)": [result.scan[DEFAULT] for result in results],
        "Unit": [scorers.SCORERS[result.name].unit for result in results],
        "Percentile among healthy scans": [result.scan_percentiles[DEFAULT] for result in results],
        "Percentile of the crosshair's slice": [result.image_percentiles[DEFAULT][row] for result in results],
    }
    st.dataframe(pd.DataFrame(table), hide_index=True, width="stretch")
    st.caption(
        f"Percentiles come from {len(healthy.scans[DEFAULT])} healthy validation scans ({len(healthy.images[DEFAULT])} slices) "
        f"that {checkpoint.name} was not trained on. They are not probabilities of disease."
    )


show()
