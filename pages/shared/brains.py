"""Where the brain of an uploaded scan lies: as it stands there, extracted from a whole head, or by its owner's mask."""

from __future__ import annotations

import streamlit as st

from pages.shared.cached import brains as cached_brains
from vaead_core.scans.volume import Volume

SAID = {
    "networks": "Networks found the brain in this scan; where the line is wrong, give your own mask of it below.",
    "mask": "The brain is that of your mask.",
}


def known(key: str, scan: Volume, mask: tuple[str, bytes] | None, takes_mask: bool = True) -> Volume:
    """The scan with its brain known; shows the outline where that is not plain. Raises ScanError.

    key: of the scan's content and of the mask's. mask: name and content of its file. takes_mask: whether one can be given.
    """
    with st.spinner("Finding the brain"):
        found = cached_brains.with_mask(key, scan.name, scan, *mask) if mask else cached_brains.with_brain(key, scan.name, scan)
    if found.brain_by in SAID:
        with st.popover("Outline of the brain", width="stretch"):
            st.image(cached_brains.outline(key, scan, found))
            st.caption(
                SAID[found.brain_by] if takes_mask
                else "Networks found the brain in this scan; where the line is wrong, upload the brain alone."
            )  # fmt: skip
    return found
