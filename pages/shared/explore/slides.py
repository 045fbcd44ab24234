"""The figure for a talk or a paper that the Explore page makes of what it shows."""

from __future__ import annotations

from typing import get_args

import streamlit as st

from pages.shared.explore.offering import offer
from pages.shared.explore.shown import Shown
from pages.shared.viewer import Voxel
from vaead_core import __version__
from vaead_core.figures.slide_layout import PLANES, Look, Paper
from vaead_core.scans.volume import Volume

CROSSHAIR = "the crosshair's"
SLICES = {CROSSHAIR: 0, "the middle one": 1, "3 over the brain": 3, "5 over the brain": 5}

ABOUT = (
    "With the page's thresholds. Colours say how rare a value is among healthy voxels, all of one opacity, as the page's do at "
    "first; what is set in the viewer's Overlay does not go into it."
)


def offer_figure(shown: Shown, stem: str, cursor: Voxel) -> None:
    """What is on it, and the two files."""
    look = _ask(shown, stem, cursor)

    def as_png() -> bytes:
        from pages.shared.explore import downloads  # matplotlib costs every visitor half a second, and few ask for a file

        return downloads.figure_png(shown, look)

    def as_svg() -> bytes:
        from pages.shared.explore import downloads

        return downloads.figure_svg(shown, look)

    with st.container(horizontal=True):
        offer("Figure, PNG (300 dpi)", as_png, "figure_png", f"{stem}_figure.png", ABOUT)
        offer("Figure, SVG", as_svg, "figure_svg", f"{stem}_figure.svg", "For programs that draw; its letters can be changed.")


def _ask(shown: Shown, stem: str, cursor: Voxel) -> Look:
    st.markdown("**Figure for slides**")
    with st.container(horizontal=True):
        which = st.selectbox("Slices", list(SLICES), key="figure_slices", width=170)
        plane = st.selectbox("Plane", list(PLANES), key="figure_plane", width=130)
        papers = get_args(Paper)
        paper: Paper = st.segmented_control("Background", papers, default=papers[0], required=True, key="figure_paper")
    title = st.text_input(
        "Title, empty for none", stem, max_chars=120, key=f"figure_title_{shown.scan.scan_digest}",
        help="At first the scan's name, which can be a patient's.",
    )  # fmt: skip
    made_by = f"vaead {__version__}, checkpoint {shown.scan.checkpoint.name}, research use only, not for diagnosis"
    return Look(_slices(shown.scan.volume, SLICES[which], PLANES[plane], cursor), made_by, plane, paper, title.strip())


def _slices(scan: Volume, count: int, axis: int, cursor: Voxel) -> tuple[int, ...]:
    return tuple(scan.middle_slices(count, axis)) if count else (cursor[axis],)
