"""Where things lie on a figure for slides, in inches."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Literal

from vaead_core.scans.volume import Volume

PLANES = {"axial": 2, "coronal": 1, "sagittal": 0}  # the axis that each is cut across
ONE, MANY = 2.4, 1.6  # across a panel, of one slice and of several
GAP = 0.14
STRIP = 0.19  # above each panel, for its letters
LINE, NAME_LINE, TITLE_LINE = 0.15, 0.17, 0.26
_BESIDE = 2.6  # for what is said of a row
_LEGEND = 0.78  # for what explains a panel's colours, below its name or below itself

Place = tuple[float, float, float, float]  # left, top, width, height
Paper = Literal["black", "white"]


@dataclass(frozen=True)
class Look:
    """slices: voxel indices along the plane's axis. made_by: what the foot says. title: "" for none."""

    slices: tuple[int, ...]
    made_by: str
    plane: str = "axial"
    paper: Paper = "black"
    title: str = ""


@dataclass(frozen=True)
class Layout:
    """Of one slice, an image beside the other; of several, a row an image, of its slices, and what is said of it on their left.

    across: the room of a panel. wide, up: of the panel in its middle. titles: the lines of the title. names: those of each image.
    """

    across: float
    wide: float
    up: float
    inches_a_mm: float
    slices: int
    titles: list[str]
    names: list[list[str]]
    made_by: str

    @staticmethod
    def of(scan: Volume, look: Look, names: list[str]) -> Layout:
        """names: of the images. A panel is as wide as the brain, or so high that no figure of a long one is out of hand."""
        slices = len(look.slices)
        sides = [at for at in range(3) if at != PLANES[look.plane]]
        across_mm, up_mm = ((scan.box[at].stop - scan.box[at].start) * float(scan.spacing_mm[at]) for at in sides)
        widest = ONE if slices == 1 else MANY
        scale = min(widest / across_mm, 1.5 * widest / up_mm)
        room = widest if slices == 1 else _BESIDE - GAP
        named = [textwrap.wrap(name, int(10 * room)) for name in names]
        width = GAP + (len(names) if slices == 1 else slices) * (widest + GAP)
        titles = textwrap.wrap(look.title, int(width * 6))
        return Layout(widest, across_mm * scale, up_mm * scale, scale, slices, titles, named, look.made_by)

    @property
    def width(self) -> float:
        """Of the figure."""
        columns = len(self.names) if self.slices == 1 else self.slices
        return GAP + columns * (self.across + GAP) + (0 if self.slices == 1 else _BESIDE)

    @property
    def height(self) -> float:
        """Of the figure."""
        rows = 1 if self.slices == 1 else len(self.names)
        return self._top + rows * self._row + len(self.foot) * LINE + GAP

    @property
    def foot(self) -> list[str]:
        """Its lines."""
        return textwrap.wrap(self.made_by, int(self.width * 15))

    def panel(self, image: int, at: int) -> Place:
        """Of slice `at` of an image."""
        column, left = (image, GAP) if self.slices == 1 else (at, GAP + _BESIDE)
        top = self._top + STRIP + (self._named if self.slices == 1 else image * self._row)
        return left + column * (self.across + GAP) + (self.across - self.wide) / 2, top, self.wide, self.up

    def name(self, image: int) -> tuple[float, float]:
        """Left and top of what an image is called."""
        if self.slices == 1:
            return GAP + image * (self.across + GAP), self._top
        return GAP, self._top + image * self._row + STRIP

    def legend(self, image: int) -> tuple[float, float]:
        """Left and top of what explains an image's colours."""
        left, top = self.name(image)
        below = self._named + STRIP + self.up if self.slices == 1 else len(self.names[image]) * NAME_LINE
        return left, top + below + 0.08

    @property
    def _top(self) -> float:
        return GAP + len(self.titles) * TITLE_LINE + (0.06 if self.titles else 0)

    @property
    def _named(self) -> float:
        return max(map(len, self.names)) * NAME_LINE + 0.04

    @property
    def _row(self) -> float:
        if self.slices == 1:
            return self._named + STRIP + self.up + 0.08 + _LEGEND
        return max(STRIP + self.up, STRIP + self._named + 0.08 + _LEGEND) + GAP
