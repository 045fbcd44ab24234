"""The toys as the viewer shows and changes them, in voxels of the brain's box."""

from __future__ import annotations

import streamlit as st

from pages.shared.cached.scans import OpenScan
from pages.shared.cached.toys import BrainBox
from pages.shared.toy_lab.state import Shape
from pages.shared.viewer.toys import Mark, Toys
from vaead_core.anomalies import toys
from vaead_core.anomalies.toys.settings import settings_of, size_of
from vaead_core.pipeline import planting
from vaead_core.pipeline.planting import Planting


def marks(scan: OpenScan, shape: Shape, box: BrainBox) -> Toys:
    """All toys there are, and what a click will plant."""
    state = st.session_state
    following = Planting(*shape, (0, 0, 0)).size_mm
    return Toys([_mark(scan, toy, box) for toy in state.lab_toys], state.lab_chosen, state.lab_done, following)


def _mark(scan: OpenScan, toy: Planting, box: BrainBox) -> Mark:
    slices, kind, spacing_mm = scan.prepared.slices, toys.TOYS[toy.kind], scan.preprocessor.spacing_mm
    place = planting.placed(toy, slices, scan.preprocessor)
    first, last = (int(slices.position[at]) - box.sides[2].start for at in (place.first, place.first + place.count - 1))
    size = size_of(kind, spacing_mm)
    length = next(one for one in settings_of(kind, spacing_mm) if one.name == "length_mm")
    ranges = (size.low, size.high), (length.low, length.high)
    return Mark(toy.seed, box.from_grid(toy.centre), toy.size_mm, first, last, *ranges)
