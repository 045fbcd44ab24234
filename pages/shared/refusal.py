"""What a page shows of a scan that it cannot take."""

from __future__ import annotations

import streamlit as st

from pages.shared.notices import refuse
from pages.shared.server import streamlit_private
from vaead_core.errors import InputError
from vaead_core.figures.outline import placement_png
from vaead_core.scans.registration.gate import PlacementError


def refuse_scan(error: InputError) -> None:
    """The sentence; and for a scan that does not lie on the atlas, the atlas's outline over it where it fits best."""
    streamlit_private.forget_fragments()  # of the scan before, which is no longer shown
    refuse(error)
    if isinstance(error, PlacementError) and (picture := placement_png(error.scan, error.placement)):
        st.image(picture)
        st.caption("The outline of the atlas's brain over this scan, where it fits best: it should follow the brain's edge.")
