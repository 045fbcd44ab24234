"""Where the pixels of slices lie: on the atlas grid, in mm, and in a scan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import ndimage

from vaead_core.scans import atlas
from vaead_core.scans.geometry import AffineToAtlas, Grid
from vaead_core.scans.registration import atlas_grid, to_atlas
from vaead_core.scans.volume import Array, Brain, Slices

CROP = {1: 224, 2: 96}  # pixels, by spacing in mm

Index = tuple[int, int, int]


@dataclass(frozen=True)
class SliceGrid:
    """Axial slices of the atlas grid, centre-cropped to squares. Rows run along j, columns along i.

    spacing_mm: 1 or 2, of the atlas grid.

    >>> grid = SliceGrid(2)
    >>> grid.atlas.shape, grid.depth, grid.image_size
    ((120, 120, 78), 78, 96)
    >>> slices = Slices(np.zeros((2, 96, 96)), np.ones((2, 96, 96), bool), np.array([30, 40]))
    >>> grid.pixel_at((60, 50, 40), slices), grid.voxel_at((1, 38, 48), slices)
    ((1, 38, 48), (60, 50, 40))
    """

    spacing_mm: int

    @property
    def atlas(self) -> Grid:
        """The atlas grid that slices are cut from."""
        return atlas_grid(self.spacing_mm)

    @property
    def image_size(self) -> int:
        """Edge of a slice in pixels: 224 at 1 mm (the thesis), 96 at 2 mm."""
        return CROP[self.spacing_mm]

    @property
    def depth(self) -> int:
        """How many slices the atlas grid has."""
        return self.atlas.shape[2]

    def cut(self, volume: Array) -> Array:
        """(K, H, W): every slice of a volume (I, J, K) of the atlas grid."""
        rows, columns = self._window()
        return volume.transpose(2, 1, 0)[:, rows, columns]

    def on_slices(self, volume: Array, slices: Slices) -> Array:
        """(N, H, W): a volume of the atlas grid, seen on `slices`."""
        return self.cut(volume)[slices.position]

    def to_volume(self, maps: Array, slices: Slices) -> Array:
        """(N, H, W) maps of `slices` back on the whole atlas grid, (I, J, K) float32, 0 elsewhere."""
        i, j, k = self.atlas.shape
        volume = np.zeros((k, j, i), np.float32)
        volume[slices.position, *self._window()] = maps
        return volume.transpose(2, 1, 0)

    def pixel_at(self, voxel: Index, slices: Slices) -> Index:
        """Image, row and column of a voxel of the atlas grid; image -1 where no slice holds it."""
        i, j, k = voxel
        images = np.flatnonzero(slices.position == k)
        rows, columns = self._window()
        return int(images[0]) if len(images) else -1, j - rows.start, i - columns.start

    def voxel_at(self, pixel: Index, slices: Slices) -> Index:
        """The voxel of the atlas grid at an (image, row, column) of `slices`."""
        image, row, column = pixel
        rows, columns = self._window()
        return column + columns.start, row + rows.start, int(slices.position[image])

    def row_at(self, voxel: Index, slices: Slices, brain: Brain) -> int:
        """Which of `slices` holds a voxel of the scan's RAS+ grid; the nearest one if none does."""
        return int(np.abs(slices.position - (self._from_scan(brain) @ [*voxel, 1])[2]).argmin())

    def voxel_in(self, row: int, voxel: Index, slices: Slices, brain: Brain) -> Index:
        """The voxel of the scan's RAS+ grid that lies in slice `row`, straight above or below `voxel` on the atlas."""
        from_scan = self._from_scan(brain)
        place = from_scan @ [*voxel, 1]
        place[2] = slices.position[row]
        return _nearest(np.linalg.inv(from_scan), place[:3], brain.scan.data.shape)

    def from_scan(self, voxel: Index, brain: Brain) -> Index:
        """The voxel of the atlas grid nearest to one of the scan's RAS+ grid."""
        return _nearest(self._from_scan(brain), voxel, self.atlas.shape)

    def in_scan(self, voxel: Index, brain: Brain) -> Index:
        """The voxel of the scan's RAS+ grid nearest to one of the atlas grid."""
        return _nearest(np.linalg.inv(self._from_scan(brain)), voxel, brain.scan.data.shape)

    def atlas_mask(self, position: Array) -> Array:
        """(N, H, W) bool: the atlas's own brain in slices at positions (N,); an outline for pictures that have none."""
        return self.cut(atlas_brain(self.spacing_mm))[position]

    def _from_scan(self, brain: Brain) -> Array:
        """(4, 4) voxels of the scan's RAS+ grid to voxels of the atlas grid."""
        return np.linalg.inv(self.atlas.affine) @ brain.transform.matrix @ brain.scan.affine

    def _window(self) -> tuple[slice, slice]:
        """Rows and columns of the atlas grid that slices hold."""
        i, j, _ = self.atlas.shape
        return _centre(j, self.image_size), _centre(i, self.image_size)


@lru_cache(maxsize=2)
def atlas_brain(spacing_mm: int) -> Array:
    """(I, J, K) bool: the atlas's own brain on its grid."""
    full = atlas.t1()
    signal = to_atlas((full.data > 0).astype(np.float32), full, AffineToAtlas(np.eye(4)), atlas_grid(spacing_mm))
    return ndimage.binary_fill_holes(signal > 0.5)


def _nearest(matrix: Array, place: Sequence[float] | Array, shape: tuple[int, ...]) -> Index:
    """The voxel of a grid of that shape that is nearest to where `matrix` (4, 4) brings a place."""
    found = np.rint((matrix @ [*place, 1])[:3]).astype(int)
    i, j, k = np.clip(found, 0, np.array(shape) - 1).tolist()
    return i, j, k


def _centre(length: int, size: int) -> slice:
    return slice((length - size) // 2, (length - size) // 2 + size)
