"""The picture of a map on the atlas, or of a difference of maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from vaead_core.figures.scan import COLOURS, upright
from vaead_core.figures.sheet import png
from vaead_core.scans import atlas
from vaead_core.scans.geometry import AffineToAtlas, Grid
from vaead_core.scans.registration import to_atlas
from vaead_core.scans.volume import Array

DIVERGING = "RdBu_r"
ROWS, COLUMNS = 3, 6
_INCHES, _SMALL_INCHES = 10.2, 5.4  # across, in which letters are of 7 points
_DOTS_ACROSS = 1326
_FULL = 0.995  # quantile of the sizes of differences that is in full colour
_MOST_OPAQUE = 0.9
_BRIGHTEST = 0.75  # of the atlas, so that colours stand out

OnGrid = tuple[Array, Array]  # values, and where they count


@dataclass(frozen=True)
class Colours:
    """From `low` to `full`, beyond which nothing gets more; said: what the values are, with their unit.

    A `low` below 0 is -full, so that 0 is the middle of the colours.
    """

    low: float
    full: float
    said: str

    @staticmethod
    def of(maps: Sequence[OnGrid], said: str, signed: bool) -> Colours:
        """One scale for maps on the atlas. signed: whether values below 0 count."""
        full = max(float(np.quantile(np.abs(values[covered]), _FULL)) for values, covered in maps)
        full = max(full, 1e-12)
        return Colours(-full if signed else 0.0, full, said)

    @property
    def name(self) -> str:
        """Of matplotlib's colour map."""
        return DIVERGING if self.low < 0 else COLOURS


def atlas_mosaic_png(values: Array, covered: Array, grid: Grid, colours: Colours, small: bool = False) -> bytes:
    """ROWS × COLUMNS axial slices, upwards, over the atlas's T1, of which more is seen the nearer a value is to 0.

    values: (I, J, K) on `grid`. covered: (I, J, K) bool, outside of which the atlas alone is drawn, darker.
    small: to be read in half the width. Radiological: the patient's left is on the right. The slices are those of the atlas, the
    same for all maps.
    """
    grey = to_atlas(atlas.t1().data, atlas.t1(), AffineToAtlas(np.eye(4)), grid)
    grey = np.clip(grey / np.quantile(grey[grey > 0], 0.99), 0, 1) * _BRIGHTEST
    i, j, k = (np.flatnonzero((grey > 0).any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1)))
    box = slice(i[0], i[-1] + 1), slice(j[0], j[-1] + 1)
    count = ROWS * COLUMNS
    slices = np.rint(k[0] + (k[-1] - k[0]) * (np.arange(count) + 1.5) / (count + 2)).astype(int)
    across = _SMALL_INCHES if small else _INCHES
    figure = Figure((across, ROWS * across / COLUMNS * 1.2 + 0.7), facecolor="black", layout="constrained")
    axes = figure.subplots(ROWS, COLUMNS, squeeze=False)
    for axis, at in zip(axes.flat, slices.tolist(), strict=True):
        axis.imshow(_slice(values[*box, at], covered[*box, at], grey[*box, at], colours), interpolation="bilinear")
        axis.set_axis_off()
        _write(axis, 0.01, 0.93, f"{(grid.affine @ [0, 0, at, 1])[2]:.0f} mm", "left")
        _write(axis, 0.01, 0.5, "R", "left")
        _write(axis, 0.99, 0.5, "L", "right")
    bar = figure.colorbar(
        ScalarMappable(Normalize(colours.low, colours.full), colours.name),
        ax=axes.ravel().tolist(),
        location="bottom",
        shrink=0.5,
        aspect=40,
        pad=0.02,
    )
    bar.ax.tick_params(colors="white", labelsize=8)
    bar.ax.set_xlabel(colours.said, color="white", fontsize=8, parse_math=False)
    return png(figure, _DOTS_ACROSS / figure.get_figwidth())


def _slice(values: Array, covered: Array, grey: Array, colours: Colours) -> Array:
    """(J, I, 3) from 0 to 1."""
    over = mpl.colormaps[colours.name](Normalize(colours.low, colours.full, clip=True)(values))[..., :3]
    opacity = _MOST_OPAQUE * np.clip(np.abs(values) / colours.full, 0, 1)[..., None] * covered[..., None]
    under = (grey * np.where(covered, 1, 0.45))[..., None]
    return np.clip(upright(opacity * over + (1 - opacity) * under), 0, 1)


def _write(axis: Axes, across: float, up: float, said: str, align: str) -> None:
    axis.text(across, up, said, color="white", fontsize=7, ha=align, transform=axis.transAxes)
