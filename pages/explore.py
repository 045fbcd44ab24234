"""A scan, sample or uploaded, through one checkpoint: maps of two to four methods side by side."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from pages.shared import cached
from vaead_core import figures, scorers, scoring
from vaead_core.aggregates import DEFAULT
from vaead_core.checkpoint import find_checkpoints
from vaead_core.cohorts.synthetic import SAMPLES
from vaead_core.errors import InputError

CHECKPOINTS = Path(os.environ.get("VAEAD_CHECKPOINTS", Path(__file__).resolve().parents[1] / "checkpoints"))
FIRST_CHECKPOINT = "brain-slices-2mm"
FIRST_METHODS = ["normalised_residual", "voxel_atlas", "residual"]

st.title("Explore")
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
    by_rate = st.radio("Threshold by", ["Healthy false-positive rate", "Value"], key="threshold_by").startswith("Healthy")
    radiological = st.toggle("Radiological view (patient's left on the right)", value=True, key="radiological")
    rate = st.slider("Healthy voxels above the threshold, %", 0.1, 20.0, 5.0, 0.1, key="rate", disabled=not by_rate) / 100

if not methods:
    st.info("Choose at least one method in the sidebar.")
    st.stop()

try:
    with st.status("Opening the checkpoint", expanded=False) as status:
        checkpoint = cached.checkpoint(folders[chosen])
        status.update(label="Reading the scan")
        if upload is None:
            scan, key = cached.sample(source), source
        else:
            content = upload.getvalue()
            key = hashlib.blake2b(content).hexdigest()
            scan = cached.uploaded(key, upload.name, content)
        status.update(label="Registering to the SRI24 atlas")
        prepared = cached.prepared(key, checkpoint.digest, scan, checkpoint)
        results = []
        for name in methods:
            status.update(label=f"Scoring: {titles[name]}")
            results.append(cached.scored(key, checkpoint.digest, name, prepared, checkpoint))
        status.update(label=f"{scan.name}: maps ready", state="complete")
except InputError as error:
    st.error(str(error))
    st.stop()

for warning in scoring.warnings(prepared, results):
    st.warning(warning)

slices = prepared.slices
peaks = results[0].images[DEFAULT]
position = st.slider(
    "Axial slice", int(slices.position[0]), int(slices.position[-1]), int(slices.position[np.argmax(peaks)]), key=f"slice_{key}"
)
row = int(np.searchsorted(slices.position, position))

columns = st.columns(len(results) + 1)
with columns[0]:
    st.markdown("**Scan**")
    st.image(figures.slice_picture(slices.pixels[row], slices.mask[row], radiological), width="stretch")
for column, result in zip(columns[1:], results, strict=True):
    healthy = checkpoint.calibration[result.name]
    with column:
        st.markdown(f"**{titles[result.name]}**", help=scorers.help_text(result.name))
        value = healthy.threshold(rate)
        if not by_rate:
            unit = scorers.SCORERS[result.name].unit
            value = st.number_input(f"Threshold, {unit}", 0.0, value=value, format="%.4g", key=f"value_{result.name}")
        shown = figures.surprise(result.maps[row], slices.mask[row], healthy)
        level = figures.surprise(np.array([value]), np.array([True]), healthy)[0]
        picture = figures.overlay_picture(slices.pixels[row], slices.mask[row], shown, level, radiological)
        st.image(picture, width="stretch")
        marked = float((np.abs(result.maps[slices.mask]) > value).mean())
        st.caption(f"Threshold {value:.3g}: {100 * healthy.rate(value):.1f} % of healthy voxels above, {100 * marked:.1f} % here")
        st.download_button(
            "NIfTI map", lambda result=result: cached.native_nifti(prepared, checkpoint, result),
            f"{Path(scan.name).name.split('.')[0]}_{result.name}.nii.gz", on_click="ignore", key=f"nifti_{result.name}",
        )  # fmt: skip

level = -np.log10(rate) if by_rate else 0.0
st.image(figures.colour_bar(float(level)), width="stretch")
st.caption(
    "One colour range for all methods: how rare so high a value is in healthy brains, "
    "from every voxel (left) to 1 in 1000 (right)."
)

counts = checkpoint.calibration[results[0].name]
st.subheader("Scores of the whole scan")
table = pd.DataFrame(
    {
        "Method": [titles[result.name] for result in results],
        "Score (mean of the top 10 %)": [result.scan[DEFAULT] for result in results],
        "Unit": [scorers.SCORERS[result.name].unit for result in results],
        "Percentile among healthy scans": [result.scan_percentiles[DEFAULT] for result in results],
        "This slice's percentile among healthy slices": [result.image_percentiles[DEFAULT][row] for result in results],
    }
)
st.dataframe(table, hide_index=True, width="stretch")
st.caption(
    f"Percentiles come from {len(counts.scans[DEFAULT])} healthy validation scans ({len(counts.images[DEFAULT])} slices) "
    f"that {checkpoint.name} was not trained on. They are not probabilities of disease."
)
