"""The toy lab's cached functions. Toys are cached by their whole list, so that one more builds on what is there, and undo
finds what was."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from nibabel.affines import from_matvec
from scipy import ndimage

from pages.shared.cached.scans import OpenScan, scored, shown_map
from pages.shared.server.cache import cached, quickly_cached
from pages.shared.viewer import Layer
from vaead_core import scorers
from vaead_core.anomalies.toys import ToyCase
from vaead_core.anomalies.toys.settings import Setting
from vaead_core.inference.model import Model
from vaead_core.measures.precision_recall import PrecisionRecall, precision_recall
from vaead_core.pipeline import planting
from vaead_core.pipeline.planting import Planting, Sweep, Voxel
from vaead_core.scans.volume import Array

Toys = tuple[Planting, ...]


@dataclass(frozen=True)
class BrainBox:
    """The box of the atlas grid that holds a brain: all that the viewer needs. sides: one slice an axis."""

    sides: tuple[slice, slice, slice]

    @staticmethod
    def of(mask: Array) -> BrainBox:
        """Of a brain's mask (I, J, K)."""
        return BrainBox(ndimage.find_objects(mask.astype(np.uint8))[0])

    @property
    def middle(self) -> Voxel:
        """The voxel in the middle of the box, counted from its corner."""
        i, j, k = ((side.stop - side.start) // 2 for side in self.sides)
        return i, j, k

    @property
    def to_grid(self) -> Array:
        """(4, 4) from the box's voxels to those of the atlas grid."""
        return from_matvec(np.eye(3), [side.start for side in self.sides])

    def from_grid(self, voxel: Voxel) -> Voxel:
        """A voxel of the atlas grid in the box."""
        i, j, k = (at - side.start for at, side in zip(voxel, self.sides, strict=True))
        return i, j, k

    def on_grid(self, voxel: Voxel) -> Voxel:
        """A voxel of the box on the atlas grid."""
        i, j, k = (at + side.start for at, side in zip(voxel, self.sides, strict=True))
        return i, j, k


@quickly_cached
def planted(scan: OpenScan, toys: Toys) -> ToyCase:
    """The scan with the toys in it. Raises InputError when the last one does not fit."""
    clean = scan.prepared.slices
    if not toys:
        return planting.unplanted(clean)
    return planting.plant_another(planted(scan, toys[:-1]), toys[-1], scan.preprocessor, scan.prepared.brain)


@quickly_cached
def maps(scan: OpenScan, name: str, toys: Toys, _near: Toys = ()) -> Array:
    """(N, H, W): one scorer's maps of the scan with the toys. near: toys whose maps are at hand; slices alike are not scored."""
    if not toys:
        return scored(scan, name).map_values
    near = () if _near == toys else _near
    before, after = planted(scan, near), planted(scan, toys)
    return planting.rescored(maps(scan, name, near), name, _model(scan, name), before.slices, after.slices)


@quickly_cached
def curve(scan: OpenScan, name: str, toys: Toys, _near: Toys = ()) -> PrecisionRecall | None:
    """Precision and recall of one scorer's maps over the slices that hold a toy; None without one. near: as of `maps`."""
    case = planted(scan, toys)
    abnormality = scorers.abnormality(name, maps(scan, name, toys, _near))
    return precision_recall(abnormality, case.truth, case.slices)


@quickly_cached
def layers(scan: OpenScan, names: tuple[str, ...], toys: Toys, _near: Toys = ()) -> tuple[Layer, Layer, list[Layer]]:
    """Scan, truth and maps for the viewer, in the box of the atlas grid. near: as of `maps`."""
    case, box = planted(scan, toys), BrainBox.of(scan.prepared.brain.mask)

    def boxed(values: Array) -> Array:
        return scan.preprocessor.slice_grid.to_volume(values, case.slices)[box.sides]

    shown = {name: maps(scan, name, toys, _near) for name in names}
    with ThreadPoolExecutor(2) as pool:
        seen = pool.submit(lambda: Layer.of(boxed(planting.to_intensity(case.slices, scan.prepared.brain)), "Scan"))
        truth = pool.submit(lambda: Layer.of(boxed(case.truth), "Truth"))
        return seen.result(), truth.result(), list(pool.map(lambda name: shown_map(scan, name, boxed(shown[name])), names))


def preview(scan: OpenScan, names: tuple[str, ...], toys: Toys, index: int) -> list[Array]:
    """(I, J) of scan, truth and maps in slice `index` of the brain's box, as they would be with the toys; for the moment alone.

    Raises InputError when a toy does not fit.
    """
    clean, box = scan.prepared.slices, BrainBox.of(scan.prepared.brain.mask)
    case = planting.unplanted(clean)
    for toy in toys:
        case = planting.plant_another(case, toy, scan.preprocessor, scan.prepared.brain)
    row = np.flatnonzero(clean.position == index + box.sides[2].start)
    if not len(row):
        return []
    held, truth = case.slices[row], case.truth[row]
    maps = [scorers.build_map(name).score_map(_model(scan, name), held) for name in names]
    values = [planting.to_intensity(held, scan.prepared.brain), truth, *maps]
    return [scan.preprocessor.slice_grid.to_volume(one, held)[box.sides][:, :, index] for one in values]


@cached
def sweep(scan: OpenScan, toy: Planting, setting: Setting, names: tuple[str, ...]) -> Sweep:
    """AP of each scorer as one setting of a toy changes."""
    models = {name: _model(scan, name) for name in names}
    return planting.sweep(toy, setting, models, scan.prepared.slices, scan.preprocessor, scan.prepared.brain)


def _model(scan: OpenScan, name: str) -> Model:
    """As it was when the scan without toys was scored: a toy hardly moves the bulk of a map."""
    return scan.checkpoint.model.with_healthy(scored(scan, name).members)
