"""The toy lab's cached functions. Toys are cached by their whole list, so that one more builds on what is there, and undo
finds what was."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from nibabel.affines import from_matvec
from scipy import ndimage

from pages.shared.cached import scans as cached_scans
from pages.shared.server.cache import cached
from pages.shared.viewer import Layer
from vaead_core import scorers
from vaead_core.anomalies.toys import ToyCase
from vaead_core.anomalies.toys.settings import Setting
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.measures.precision_recall import PrecisionRecall, precision_recall
from vaead_core.pipeline import planting
from vaead_core.pipeline.planting import Planting, Sweep, Voxel
from vaead_core.pipeline.scoring import PreparedScan
from vaead_core.scans.volume import Array

Toys = tuple[Planting, ...]


@dataclass(frozen=True)
class Bench:
    """A scan on the bench of the lab. key: of its content."""

    key: str
    prepared: PreparedScan
    checkpoint: Checkpoint

    @property
    def keys(self) -> tuple[str, str]:
        return self.key, self.checkpoint.digest

    @cached_property
    def box(self) -> tuple[slice, slice, slice]:
        """The part of the atlas grid that holds the brain: all that the viewer needs."""
        return ndimage.find_objects(self.prepared.brain.mask.astype(np.uint8))[0]

    @property
    def middle(self) -> Voxel:
        """The voxel in the middle of the box, counted from its corner."""
        i, j, k = ((side.stop - side.start) // 2 for side in self.box)
        return i, j, k

    @property
    def grid_from_box(self) -> Array:
        """(4, 4) from the box's voxels to those of the atlas grid."""
        return from_matvec(np.eye(3), [side.start for side in self.box])

    def on_grid(self, voxel: Voxel) -> Voxel:
        """A voxel of the box on the atlas grid."""
        i, j, k = (at + side.start for at, side in zip(voxel, self.box, strict=True))
        return i, j, k


@cached
def planted(keys: tuple[str, str], toys: Toys, _bench: Bench) -> ToyCase:
    """The scan with the toys in it. Raises InputError when the last one does not fit."""
    clean = _bench.prepared.slices
    if not toys:
        return planting.unplanted(clean)
    return planting.plant_another(planted(keys, toys[:-1], _bench), toys[-1], clean, _bench.checkpoint.preprocessor)


@cached
def maps(keys: tuple[str, str], name: str, toys: Toys, _bench: Bench) -> Array:
    """(N, H, W): one scorer's maps of the scan with the toys."""
    if not toys:
        return cached_scans.scored(*keys, name, _bench.prepared, _bench.checkpoint).maps
    before, after = planted(keys, toys[:-1], _bench), planted(keys, toys, _bench)
    return planting.rescored(maps(keys, name, toys[:-1], _bench), name, _bench.checkpoint, before.slices, after.slices)


@cached
def curve(keys: tuple[str, str], name: str, toys: Toys, _bench: Bench) -> PrecisionRecall | None:
    """Precision and recall of one scorer's maps over the slices that hold a toy; None without one."""
    case = planted(keys, toys, _bench)
    abnormality = scorers.abnormality(name, maps(keys, name, toys, _bench))
    return precision_recall(abnormality, case.truth, case.slices)


@cached
def layers(keys: tuple[str, str], names: tuple[str, ...], toys: Toys, _bench: Bench) -> tuple[Layer, Layer, list[Layer]]:
    """Scan, truth and maps for the viewer, in the box of the atlas grid."""
    case, preprocessor = planted(keys, toys, _bench), _bench.checkpoint.preprocessor

    def layer(values: Array, *about, **more) -> Layer:
        return Layer.of(preprocessor.to_volume(values, case.slices)[_bench.box], *about, **more)

    def map_layer(name: str) -> Layer:
        scorer = scorers.SCORERS[name]
        return layer(shown[name], scorer.title, scorer.unit, signed=scorer.signed, about=scorers.help_text(name))

    shown = {name: maps(keys, name, toys, _bench) for name in names}
    with ThreadPoolExecutor(2) as pool:
        scan = pool.submit(layer, planting.to_intensity(case.slices, _bench.prepared.brain), "Scan")
        truth = pool.submit(layer, case.truth, "Truth")
        return scan.result(), truth.result(), list(pool.map(map_layer, names))


@cached
def sweep(keys: tuple[str, str], toy: Planting, setting: Setting, names: tuple[str, ...], _bench: Bench) -> Sweep:
    """AP of each scorer as one setting of a toy changes."""
    return planting.sweep(toy, setting, list(names), _bench.prepared.slices, _bench.checkpoint)
