"""The toys as the viewer shows and changes them, in voxels of the brain's box."""

from __future__ import annotations

import streamlit as st

from pages.shared.cached.scans import OpenScan
from pages.shared.cached.toys import BrainBox
from pages.shared.toy_lab.state import Shape
from pages.shared.viewer.toys import Mark, Run, Toys
from vaead_core.pipeline import planting
from vaead_core.pipeline.planting import Planting


def marks(scan: OpenScan, shape: Shape, box: BrainBox) -> Toys:
    """All toys there are, and what a click will plant."""
    state = st.session_state
    following = Planting(*shape, (0, 0, 0)).size_mm
    shown = [_mark(scan, toy, box) for toy in state.lab_toys]
    return Toys(shown, state.lab_chosen, state.lab_done, following, draws=shape[0] == planting.DRAWN)


def _mark(scan: OpenScan, toy: Planting, box: BrainBox) -> Mark:
    slices, kind, spacing_mm = scan.prepared.slices, toy.kind, scan.preprocessor.spacing_mm
    size = planting.size_setting(kind, spacing_mm)
    centre, range_mm = box.from_grid(toy.centre), (size.low, size.high)
    if planting.is_painted(kind):
        return Mark(toy.seed, centre, toy.size_mm, range_mm, path=toy.path if kind == planting.DRAWN else ())
    place = planting.placed(toy, slices, scan.preprocessor)
    first, last = (int(slices.position[at]) - box.sides[2].start for at in (place.first, place.first + place.count - 1))
    length = next(one for one in planting.offered(kind, spacing_mm) if one.name == "length_mm")
    return Mark(toy.seed, centre, toy.size_mm, range_mm, Run(first, last, (length.low, length.high)))
