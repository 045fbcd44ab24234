"""What was found of the painted lesions, by size and look, and what that says in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vaead_core import scorers
from vaead_core.pipeline.limits.lesion_scans import LOOKS, LOST, SIZES, PaintedLesion
from vaead_core.pipeline.limits.psychometric import NOT_REACHED, Psychometric, interval

SHARES = (0.5, 0.8)
SPOKEN_OF = "20 % darker"


@dataclass(frozen=True)
class Outcome:
    """A painted lesion and a map: whether it was found, and whether the place counts as marked in the untouched scan already."""

    lesion: PaintedLesion
    found: bool
    marked_before: bool


@dataclass(frozen=True)
class Cell:
    """Lesions of one look and size. low, high: of the sensitivity, 95 %. sensitivity: NaN where there are none."""

    look: str
    size: str
    count: int
    found: int
    marked_before: int
    low: float
    high: float

    @property
    def sensitivity(self) -> float:
        return self.found / self.count if self.count else float("nan")


@dataclass(frozen=True)
class Limits:
    """Of one method in one scan at one threshold, which a share `rate` of healthy voxels exceeds.

    false_components: parts of the untouched scan above it, of SMALLEST_ML or more; false if the scan is of someone healthy.
    """

    scorer: str
    rate: float
    threshold: float
    false_components: int
    outcomes: tuple[Outcome, ...]

    @property
    def cells(self) -> list[Cell]:
        """Every look of every size."""
        return [self._cell(look, size) for look in LOOKS for size in SIZES]

    def _cell(self, look: str, size: str) -> Cell:
        these = [one for one in self.outcomes if one.lesion.look == look and one.lesion.size == size]
        found = sum(one.found for one in these)
        return Cell(look, size, len(these), found, sum(one.marked_before for one in these), *interval(found, len(these)))

    def curve(self, look: str) -> Psychometric | None:
        """How finding them depends on their size; None where none was painted."""
        return self._curves[look]

    @cached_property
    def _curves(self) -> dict[str, Psychometric | None]:
        return {look: self._fitted(look) for look in LOOKS}

    def _fitted(self, look: str) -> Psychometric | None:
        these = [one for one in self.outcomes if one.lesion.look == look]
        return Psychometric.of(np.array([one.lesion.volume_ml for one in these]), np.array([one.found for one in these]))

    def size_said(self, look: str, share: float) -> str:
        """The size of which a share is found, in words."""
        curve = self.curve(look)
        return curve.said(share) if curve else NOT_REACHED

    def sentence(self, look: str = SPOKEN_OF) -> str:
        """What a reader takes along: counts above the size of which 80 % are found, and below that of which half are."""
        title, curve = scorers.SCORERS[self.scorer].title, self.curve(look)
        what = "lesions of lost tissue" if look == LOST else f"dark lesions of {look.removesuffix(' darker')} contrast"
        if curve is None:
            return f"{title}: no {what} could be painted into this scan."
        begun, (half, most) = f"{title}: in this scan, at this threshold, it finds", (curve.size_ml(share) for share in SHARES)
        if most is None:
            ends = f"from {curve.smallest_ml:.2g} to {curve.largest_ml:.2g} ml"
            missed = "; no size is found in four of five" if curve.said(SHARES[1]) == NOT_REACHED else ""
            return f"{begun} {self._counted(look)} {what} {ends}{missed}."
        below = f"; below {half:.2g} ml it finds {self._counted(look, high=half)}" if half else ""
        return f"{begun} {self._counted(look, low=most)} {what} above {most:.2g} ml{below}."

    def _counted(self, look: str, low: float = 0.0, high: float = np.inf) -> str:
        these = [one for one in self.outcomes if one.lesion.look == look and low <= one.lesion.volume_ml < high]
        return f"{sum(one.found for one in these)} of {len(these)}"


def lines(limits: Limits) -> list[str]:
    """A table for a terminal: found of painted, a row a size, a column a look; the sizes found; the sentence."""
    cells = {(one.look, one.size): f"{one.found}/{one.count}" for one in limits.cells}
    rows = [["found/painted", *LOOKS], *([size, *(cells[look, size] for look in LOOKS)] for size in SIZES)]
    rows += [
        [f"{share:.0%} found from".replace("%", " %"), *(limits.size_said(look, share) for look in LOOKS)] for share in SHARES
    ]
    marked = f"{limits.false_components} parts of the untouched scan lie above it"
    said = f"{limits.scorer}: threshold {limits.threshold:.4g}, which {100 * limits.rate:g} % of healthy voxels exceed; {marked}."
    return [said, *_columns(rows), limits.sentence()]


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
