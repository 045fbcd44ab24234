"""A scan, sample or uploaded, through one checkpoint: maps of two to four methods side by side."""

import hashlib
import os
from pathlib import Path

import pandas as pd
import streamlit as st

from pages.shared import cached
from pages.shared.viewer import viewer
from vaead_core import scorers, scoring
from vaead_core.aggregates import DEFAULT
from vaead_core.checkpoint import find_checkpoints
from vaead_core.cohorts.synthetic import SAMPLES
from vaead_core.errors import InputError

CHECKPOINTS = Path(os.environ.get("VAEAD_CHECKPOINTS", Path(__file__).resolve().parents[1] / "checkpoints"))
FIRST_CHECKPOINT = "brain-slices-2mm"
FIRST_METHODS = ["normalised_residual", "voxel_atlas", "residual"]

st.header("Explore", anchor=False)
st.caption("Research use only, not for diagnosis.")

with st.sidebar:
    folders = {path.name: path for path in find_checkpoints(CHECKPOINTS) if not path.name.startswith("fashion")}
    if not folders:
        st.error(f"No checkpoint lies in {CHECKPOINTS.name}; train one with: python -m training.run")
        st.stop()
    source = st.selectbox("Sample scan", SAMPLES, index=1, format_func=str.capitalize, key="sample")
    upload = st.file_uploader("Or your own: a skull-stripped T1, .nii or .nii.gz", type=["nii", "gz"], key="upload")
    names = list(folders)
    start = names.index(FIRST_CHECKPOINT) if FIRST_CHECKPOINT in names else 0
    chosen = st.selectbox("Checkpoint", names, index=start, key="checkpoint")
    titles = {name: kind.title for name, kind in scorers.map_scorers().items()}
    methods = st.multiselect(
        "Methods, two to four", list(titles), FIRST_METHODS, format_func=titles.get, max_selections=4, key="methods"
    )

if not methods:
    st.info("Choose at least one method in the sidebar.")
    st.stop()

try:
    progress = st.empty()
    with progress.status("Opening the checkpoint", expanded=False) as status:
        checkpoint = cached.checkpoint(folders[chosen])
        status.update(label="Reading the scan")
        if upload is None:
            sample = cached.sample(source)
            scan, truth, key = sample.scan, sample.truth, source
        else:
            content = upload.getvalue()
            key, truth = hashlib.blake2b(content).hexdigest(), None
            scan = cached.uploaded(key, upload.name, content)
        status.update(label="Registering to the SRI24 atlas")
        prepared = cached.prepared(key, checkpoint.digest, scan, checkpoint)
        results, layers = [], []
        for name in methods:
            status.update(label=f"Scoring: {titles[name]}")
            results.append(cached.scored(key, checkpoint.digest, name, prepared, checkpoint))
            layers.append(cached.map_layer(key, checkpoint.digest, name, prepared, checkpoint, results[-1]))
        redrawn = cached.reconstruction_layer(key, checkpoint.digest, prepared, checkpoint)
    progress.empty()
except InputError as error:
    st.error(str(error))
    st.stop()

for warning in scoring.warnings(prepared, results):
    st.warning(warning)


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
