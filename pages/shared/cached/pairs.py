"""What the app keeps of two maps that are set beside each other on the atlas grid."""

from __future__ import annotations

import numpy as np

from pages.shared.cached.scans import OpenScan, OpenTruth, scored
from pages.shared.server.cache import cached
from pages.shared.viewer import Layer
from vaead_core import scorers
from vaead_core.figures.rarity import Rarity
from vaead_core.pipeline import pair
from vaead_core.pipeline.pair import Difference, Side
from vaead_core.scans.volume import Array


def side(scan: OpenScan, name: str) -> Side:
    """One method on a scan. Raises CheckpointError."""
    return Side(scan.prepared, scan.checkpoint, scored(scan, name))


@cached
def base_layer(scan: OpenScan, spacing_mm: int, title: str) -> Layer:
    """The scan on an atlas grid, for the viewer."""
    return Layer.of(pair.intensity_on_grid(scan.prepared.brain, spacing_mm), title)


@cached
def map_layer(scan: OpenScan, name: str, spacing_mm: int, title: str, about: str) -> Layer:
    """One method's map on an atlas grid, for the viewer."""
    scorer, one = scorers.SCORERS[name], side(scan, name)
    levels = Rarity.of(one.scored.healthy).levels
    values = one.on_grid(spacing_mm)
    return Layer.of(values, title, scorer.unit, signed=scorer.signed, rarity=levels, about=about)


@cached
def difference(first: OpenScan, name: str, second: OpenScan, other: str) -> Difference:
    """The second one's map less the first's. Raises InputError."""
    return pair.difference(side(first, name), side(second, other))


@cached
def difference_layer(first: OpenScan, name: str, second: OpenScan, other: str, title: str) -> tuple[Layer, Layer]:
    """That for the viewer, and the first scan where both have brain."""
    found = difference(first, name, second, other)
    seen = pair.intensity_on_grid(first.prepared.brain, found.spacing_mm) * found.covered
    return Layer.of(found.values, title, f"difference, {found.unit}", signed=True), Layer.of(seen, "Scan")


@cached
def truth_layer(scan: OpenScan, truth: OpenTruth) -> Layer:
    """The truth on the scan's atlas grid, for the viewer."""
    slices = scan.prepared.slices
    seen = scan.preprocessor.truth_to_slices(truth.marked, scan.prepared.brain)
    return Layer.of(scan.preprocessor.slice_grid.to_volume(seen, slices) > 0, "Truth")


def marked_by_one_layer(scan: OpenScan, name: str, thresholds: tuple[float, float], title: str) -> tuple[Layer, Array]:
    """Where one of two thresholds alone marks, for the viewer, and the voxels."""
    found = pair.marked_by_one(side(scan, name), *thresholds)
    return Layer.of(np.asarray(found), title, "−1 first alone, +1 second alone", signed=True), found
