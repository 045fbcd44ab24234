"""Left against right: what one hemisphere shows and the other does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from vaead_core.inference.model import Model
from vaead_core.scans.volume import Array, Slices
from vaead_core.scorers import MapScorer, Needs, register
from vaead_core.scorers.wrappers import Calibrated, Intensity, LeftAgainstRight

SCALES = (2, 4)


def _at(voxels: int) -> Calibrated:
    return Calibrated(LeftAgainstRight(Intensity(), voxels), f"asymmetry{voxels}")


_CALIBRATED = tuple(map(_at, SCALES))


@register("asymmetry")
@dataclass(frozen=True)
class Asymmetry(MapScorer):
    """Smoothed intensity minus its mirror image across the midline, in healthy deviations at the same atlas position:
    one-sided lesions stand out with no network at all, two-sided ones and those on the midline do not."""

    voxels: Literal[2, 4] = 4
    title: ClassVar[str] = "Left-right asymmetry"
    unit: ClassVar[str] = "healthy deviations"
    trust: ClassVar[str] = (
        "Trust it for one-sided lesions of a centimetre or more; a healthy brain is not quite symmetric, least near its rim."
    )
    signed: ClassVar[bool] = True
    needs: ClassVar[Needs] = Needs(calibrated=_CALIBRATED)

    def score_map(self, model: Model, slices: Slices) -> Array:
        return _at(self.voxels).score_map(model, slices)


@register("dark_asymmetry")
@dataclass(frozen=True)
class DarkAsymmetry(MapScorer):
    """The darker side of the left-right asymmetry alone: on T1, oedema, infarcts and most tumours are darker than the same
    place of the other hemisphere."""

    voxels: Literal[2, 4] = 4
    title: ClassVar[str] = "Left-right asymmetry, darker side"
    unit: ClassVar[str] = "healthy deviations"
    trust: ClassVar[str] = (
        "Trust it for large one-sided dark lesions, tissue loss and the mass of a tumour; it sees "
        "nothing bright, two-sided or on the midline."
    )
    needs: ClassVar[Needs] = Needs(calibrated=_CALIBRATED)

    def score_map(self, model: Model, slices: Slices) -> Array:
        return -_at(self.voxels).score_map(model, slices)
