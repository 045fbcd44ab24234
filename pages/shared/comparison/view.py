"""The comparison as the Explore page shows it: both maps and their difference in one viewer, figures of both, and files."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from pages.shared.cached import pairs
from pages.shared.comparison import state as pair_state
from pages.shared.comparison.asking import CHECKPOINT, SCAN, THRESHOLD
from pages.shared.comparison.opening import Pair
from pages.shared.explore.offering import offer
from pages.shared.explore.shown import FIRST_RATE
from pages.shared.notices import faults, plain
from pages.shared.part import part
from pages.shared.server import queue
from pages.shared.session.saving import offer_session
from pages.shared.viewer import Layer, thresholds_left, viewer
from vaead_core import scorers
from vaead_core.figures.rarity import Rarity, to_percent
from vaead_core.measures.aggregates import DEFAULT
from vaead_core.pipeline import pair as core
from vaead_core.pipeline.pair import Side
from vaead_core.scans.names import stem
from vaead_core.scans.volume import Array

SECOND_RATE = 0.01  # of healthy voxels above the second of two thresholds
DIFFERENCE, BY_ONE = "Difference: second less first", "Marked by one alone"
WHAT_IT_IS_NOT = (
    "Two scans of one person differ by noise, position and registration as well as by what changed. Two people differ in "
    "anatomy, which an affine registration leaves as it is: between them this is a difference of brains, not of disease."
)
OF_PERCENTILES = (
    "The two have no unit in common, so the difference is of percentiles: how much larger a share of healthy voxels the second "
    "map's value reaches than the first's, each among its own checkpoint's healthy brains."
)


def show_pair(pair: Pair) -> None:
    """A click in the viewer runs this alone."""
    part(_show)(pair)


@faults()
@queue.page()
def _show(pair: Pair) -> None:
    first, second = pair.sides
    rates = (FIRST_RATE, SECOND_RATE if pair.kind == THRESHOLD else FIRST_RATE)
    pair_state.begin(pair.subject, pair.scans[0], (first.scored.thresholds[rates[0]], second.scored.thresholds[rates[1]]))
    state, grid, mm = st.session_state, first.preprocessor.slice_grid.atlas, pair.spacing_mm
    titles = [scorers.SCORERS[name].title for name in pair.names]
    layers = [
        pairs.map_layer(scan, name, mm, called, title)
        for scan, name, called, title in zip(pair.scans, pair.names, pair.called, titles, strict=True)
    ]
    which = ("First scan", "Second scan") if pair.kind == SCAN else ("Scan", "Scan")
    bases = [pairs.base_layer(scan, mm, called) for scan, called in zip(pair.scans, which, strict=True)]
    given = dict(zip(pair.called, state.pair_given, strict=True)) | ({BY_ONE: 0.0} if pair.kind == THRESHOLD else {})
    left = thresholds_left("pair", given)
    thresholds = left.get(pair.called[0], state.pair_given[0]), left.get(pair.called[1], state.pair_given[1])
    third, under, values = _third(pair, thresholds)
    seen = viewer(
        bases[0], [*layers, third], grid.affine, key="pair", cursor=state.pair_start, thresholds=given, linked=False,
        pair=True, bases=[*bases, under], subject=pair.subject, jumps=state.pair_jumps,
        truth=pairs.truth_layer(pair.scans[0], pair.truth) if pair.truth else None,
    )  # fmt: skip
    pair_state.keep(pair.scans[0], seen.cursor, thresholds)
    with st.popover("Save", icon=":material/download:"):
        name = stem(Path(pair.scans[0].volume.name).name)
        _offer_files(pair, values, name)
        offer_session(pair.scans[0], pair, name)
    _tell(pair)
    _show_figures(pair)


def _third(pair: Pair, thresholds: tuple[float, float]) -> tuple[Layer, Layer, Array]:
    """The third panel, what lies under it, and its values."""
    (one, other), (name, second) = pair.scans, pair.names
    if pair.kind == THRESHOLD:
        layer, values = pairs.marked_by_one_layer(one, name, thresholds, BY_ONE)
        return layer, pairs.base_layer(one, pair.spacing_mm, "Scan"), values
    layer, under = pairs.difference_layer(one, name, other, second, DIFFERENCE)
    return layer, under, pairs.difference(one, name, other, second).values


def _tell(pair: Pair) -> None:
    """What the pictures are, and what the third is not."""
    said = [
        f"All lie on the atlas grid (SRI24, {pair.spacing_mm:d} mm), to which each scan was brought by an affine registration; "
        "crosshair, slice and zoom are those of that grid, and so are voxel and mm below the pictures."
    ]
    if pair.kind == THRESHOLD:
        said.append("The third panel: 1 where the second threshold alone marks, −1 where the first alone does.")
    else:
        found = pairs.difference(pair.scans[0], pair.names[0], pair.scans[1], pair.names[1])
        if found.of_percentiles:
            said.append(OF_PERCENTILES)
        said.append(f"Half of the voxels in the brain of both differ by less than {found.typical:.2g} {found.unit}.")
    if pair.kind == CHECKPOINT and pair.names[0] == pair.names[1] and found.of_percentiles:
        said.append("The method is the same, and these checkpoints bring intensities to different scales.")
    if pair.kind == SCAN:
        said.append(WHAT_IT_IS_NOT)
    st.caption(plain(" ".join(said)))


def _show_figures(pair: Pair) -> None:
    st.subheader("Both in figures", anchor=False)
    sides, thresholds = pair.sides, st.session_state.pair_thresholds
    columns = {
        called: _figures(side, threshold) for called, side, threshold in zip(("First", "Second"), sides, thresholds, strict=True)
    }
    st.table(pd.DataFrame(columns), alt="Both in figures")
    dice = core.overlap(*sides, thresholds)
    if np.isnan(dice):
        st.caption("Neither marks anything where both have brain.")
    else:
        st.caption(
            f"Dice of what the two mark, in the brain of both: {dice:.2f}. It says how alike they are, not which is right."
        )


def _figures(side: Side, threshold: float) -> dict[str, str]:
    scorer, one = scorers.SCORERS[side.scored.name], side.scored
    return {
        "Scan": plain(Path(side.prepared.brain.scan.name).name),  # cells of such a table are markdown
        "Checkpoint": plain(side.checkpoint.name),
        "Map": f"{scorer.title}, {scorer.unit}",
        "Score of the scan": f"{one.scan[DEFAULT]:.3g}",
        "Percentile among healthy scans": plain(f"{one.scan_percentiles[DEFAULT]:.1f}, on {one.compared_with}"),
        "Threshold": f"{threshold:.4g}",
        "Marked of this brain": to_percent(side.marked_share(threshold)),
        "Marked of healthy ones": Rarity.of(one.healthy).said(threshold),
    }


def _offer_files(pair: Pair, values: Array, name: str) -> None:
    mm = pair.spacing_mm
    for which, side in zip(("first", "second"), pair.sides, strict=True):
        content = partial(_map_file, side, mm)
        offer(f"{which.title()} map on the atlas, NIfTI", content, f"pair_{which}", f"{name}_{which}_{side.scored.name}.nii.gz")
        if pair.kind == THRESHOLD:
            break  # both are one map
    content = partial(core.grid_nifti, values, mm, "difference", "second less first on SRI24")
    third = BY_ONE if pair.kind == THRESHOLD else "Difference"
    offer(f"{third}, NIfTI", content, "pair_difference", f"{name}_difference.nii.gz")


def _map_file(side: Side, spacing_mm: int) -> bytes:
    return core.grid_nifti(side.on_grid(spacing_mm), spacing_mm, "map", f"{side.scored.name} on SRI24")
