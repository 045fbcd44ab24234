"""A map as the figure for slides draws it: with the viewer's first scale and colours."""

from __future__ import annotations

from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.colors import Colormap, LinearSegmentedColormap

from vaead_core import scorers
from vaead_core.figures.rarity import TOP_RARITY, Rarity, to_percent
from vaead_core.pipeline.scoring import Scored
from vaead_core.scans.volume import Array

_DIVERGING = (  # the viewer's
    (0.72, 0.9, 1), (0.3, 0.66, 0.98), (0.12, 0.42, 0.78), (0.08, 0.2, 0.4), (0.1, 0.1, 0.1),
    (0.42, 0.18, 0.06), (0.8, 0.36, 0.08), (0.98, 0.62, 0.25), (1, 0.88, 0.68),
)  # fmt: skip
_SEQUENTIAL = mpl.colormaps["inferno"](np.linspace(0.15, 1, 18))[:, :3]  # without its darkest, which a scan hides


@dataclass(frozen=True)
class SlideMap:
    """values: (I, J, K), the method's own, on the scan's grid; drawn where they, or |values| if signed, lie above `threshold`."""

    title: str
    unit: str
    values: Array
    threshold: float
    rarity: Rarity
    signed: bool = False

    @staticmethod
    def of(one: Scored, values: Array, threshold: float) -> SlideMap:
        """That of a method."""
        kind = scorers.SCORERS[one.name]
        return SlideMap(kind.title, kind.unit, values, threshold, Rarity.of(one.healthy), kind.signed)

    def above(self, values: Array) -> Array:
        """Of some of its values, bool: which are drawn."""
        return (np.abs(values) if self.signed else values) > self.threshold

    def colours(self, values: Array) -> Array:
        """(..., 3) from 0 to 1: of what 1 in 1000 healthy voxels exceeds and beyond, the last colour."""
        return self.of_rarities(np.where(values < 0, -1, 1) * self.rarity.of_values(values))

    def of_rarities(self, rarities: Array) -> Array:
        """The same of rarities, below 0 for values that are."""
        share = rarities / TOP_RARITY
        return _colour_map(self.signed)((0.5 + share / 2) if self.signed else np.clip(share, 0, 1))[..., :3]

    def shares(self, brain: Array) -> str:
        """How much is marked, of this brain (I, J, K) bool and of healthy ones."""
        return f"here {to_percent(float(self.above(self.values[brain]).mean()))}, healthy {self.rarity.said(self.threshold)}"


def _colour_map(signed: bool) -> Colormap:
    return LinearSegmentedColormap.from_list("viewer", _DIVERGING if signed else _SEQUENTIAL, 512)
