"""A page with the viewer alone, which test_viewer.py serves: of a file in the folder named by PHANTOMS.

The field "Phantom" names the file and a number: with another number, the viewer and all around it are as in a new tab.
"""

import os
from pathlib import Path

import numpy as np
import streamlit as st

from pages.shared.viewer import Layer, viewer
from pages.shared.viewer.toys import Toys, acts_since
from vaead_core.scans.nifti import read_nifti

st.set_page_config(layout="wide")
name, number = st.text_input("Phantom", "RAS 0").split()
key, done = f"phantom-{number}", f"done-{number}"
scan = read_nifti(Path(os.environ["PHANTOMS"]) / f"{name}.nii.gz")
ball = scan.data > 200
if st.toggle("Hide", key=f"hide-{number}"):
    st.stop()
jump = st.toggle("Jump", key=f"jump-{number}")
acts = acts_since(key, st.session_state.setdefault(done, 0))
st.session_state[done] = acts[-1].number if acts else st.session_state[done]
state = viewer(
    Layer.of(scan.data, "Scan"),
    [
        Layer.of(scan.data / 100, "Brightness", "units"),
        Layer.of(scan.data / 200, "<b>Half</b>", "units"),
        Layer.of(np.where(ball, 2, -1) * (scan.data > 0), "Signed", "deviations", signed=True),
        Layer.of(np.where(ball, 2.5, 1) * (scan.data > 0), "Rare", "z", rarity=np.linspace(0, 3, 31) * 2),
    ],
    scan.affine,
    key=key,
    file_voxels=scan.native.voxels_from_ras,
    truth=Layer.of(ball, "Truth"),
    reconstruction=Layer.of(scan.data * 0.5, "Reconstruction"),
    cursor=(30, 31, 32) if jump else tuple(int(at) for at in np.argwhere(ball).mean(0).round()),
    thresholds={"Brightness": 2.5, "Rare": 2.0} if jump else None,
    toys=Toys(done=st.session_state[done]),
)
st.text(f"cursor {state.cursor} click {acts[-1].voxel if acts else None}")
st.text(f"thresholds {state.thresholds}")
st.text(f"{name} {number} is shown")
st.button("Run again")
