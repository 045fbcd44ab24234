"""The types a scan passes through: `Volume` (as read) → `Brain` (on the atlas grid) → `Slices` (network input)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from scipy import ndimage

from vaead_core.scans.foreground import Foreground, foreground
from vaead_core.scans.geometry import NativeSpace, Placement
from vaead_core.scans.intensity import IntensityScale

Array = np.ndarray


@dataclass(frozen=True)
class Volume:
    """A scan as read, turned to RAS+ axes.

    data: (I, J, K) float32, finite. affine: (4, 4) voxel indices to world mm, RAS+.
    native: how to write a map back onto the file's own grid; None for a volume made in memory.
    brain: (I, J, K) bool where somebody knows where the brain is; else it is found from the background.
    brain_by: how it is known: the constant background around it, networks, or a mask that came with the scan.
    notes: plain sentences on how the file was read, which a user must see beside any map of it.

    >>> data = np.zeros((4, 4, 4), np.float32)
    >>> data[1, 2:, 0] = 1
    >>> Volume(data, np.diag([1.0, 2, 3, 1])).spacing_mm.tolist(), Volume(data, np.eye(4)).box
    ([1.0, 2.0, 3.0], (slice(1, 2, None), slice(2, 4, None), slice(0, 1, None)))
    >>> Volume(data - 1, np.eye(4)).background, Volume(data - 1, np.eye(4)).tissue.max().item()
    (-1.0, 1.0)
    """

    data: Array
    affine: Array
    name: str = "scan"
    native: NativeSpace | None = None
    brain: Array | None = None
    brain_by: Literal["background", "networks", "mask"] = "background"
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.data.ndim != 3 or self.affine.shape != (4, 4):
            raise ValueError(f"expected (I, J, K) data and a (4, 4) affine, got {self.data.shape} and {self.affine.shape}")
        if self.brain is not None and self.brain.shape != self.data.shape:
            raise ValueError(f"the brain's mask must have the scan's shape {self.data.shape}, got {self.brain.shape}")

    @cached_property
    def _found(self) -> Foreground:
        return foreground(self.data)

    @property
    def mask(self) -> Array:
        """(I, J, K) bool: the brain, and cavities that it encloses."""
        return self._found.mask if self.brain is None else self.brain

    @property
    def background(self) -> float | None:
        """The constant outside the brain; None where there is none."""
        return self._found.background

    @property
    def darker(self) -> float:
        """Share of the brain's voxels that lie below the background."""
        return self._found.darker

    @property
    def floor(self) -> float:
        """What is dark in this scan, and hence 0 in `tissue`: the background, or the darkest of the brain."""
        return self._found.floor

    @cached_property
    def tissue(self) -> Array:
        """(I, J, K) float32: how far the values lie above `floor`; 0 outside the brain. Not to be written to."""
        if self.floor == 0 and not self.data[~self.mask].any():
            return self.data
        return np.where(self.mask, self.data - np.float32(self.floor), np.float32(0))

    @cached_property
    def box(self) -> tuple[slice, slice, slice]:
        """The smallest box of voxels that holds the brain; all of them where there is none."""
        found = ndimage.find_objects(self.mask.astype(np.uint8)) or [tuple(slice(0, size) for size in self.data.shape)]
        i, j, k = found[0]
        return i, j, k

    def middle_slices(self, count: int, axis: int = 2) -> list[int]:
        """Slices evenly over the middle of the brain: axial ones, or across another axis."""
        first, last = self.box[axis].start, self.box[axis].stop - 1
        return [round(first + (last - first) * (at + 1.5) / (count + 2)) for at in range(count)]

    @property
    def spacing_mm(self) -> Array:
        """(3,) voxel edge lengths."""
        return np.linalg.norm(self.affine[:3, :3], axis=0)

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel."""
        return float(np.abs(np.linalg.det(self.affine[:3, :3]))) / 1000


@dataclass(frozen=True)
class Brain:
    """A preprocessed scan on the atlas grid.

    intensity: (I, J, K) float32, as the network sees it, clipped to [-1, 1]; 0 outside.
    mask: (I, J, K) bool. scan: what it came from. transform: scan world to atlas world, and how well it fits.
    scale: between the scan's own values, once their field is taken out, and intensity. field: (I, J, K) what was taken out of
    the receiver's field; None for nothing.
    warnings: plain sentences a user must see beside any map of this scan; they don't name it, as reports hold them.
    """

    intensity: Array
    mask: Array
    spacing_mm: float
    scan: Volume
    transform: Placement
    scale: IntensityScale
    field: Array | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Slices:
    """Images for a network: axial slices of a brain, patches of them, or Fashion-MNIST pictures.

    pixels: (N, H, W) float32 in [-1, 1], background filled. mask: (N, H, W) bool, where scores count.
    position: (N,) int, axial index on the atlas grid (0 for pictures without one).

    >>> slices = Slices(np.zeros((3, 2, 2)), np.ones((3, 2, 2), bool), np.array([7, 8, 9]))
    >>> len(slices), slices[1:].position.tolist(), len(Slices.concatenate([slices, slices]))
    (3, [8, 9], 6)
    """

    pixels: Array
    mask: Array
    position: Array

    def __post_init__(self) -> None:
        if self.pixels.shape != self.mask.shape or self.pixels.ndim != 3 or self.position.shape != self.pixels.shape[:1]:
            raise ValueError(f"pixels {self.pixels.shape}, mask {self.mask.shape}, position {self.position.shape} disagree")

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, rows: slice | Array) -> Slices:
        """The chosen images, in order; `rows` is a slice, indices or a boolean (N,)."""
        return replace(self, pixels=self.pixels[rows], mask=self.mask[rows], position=self.position[rows])

    @cached_property
    def digest(self) -> str:
        """Content hash: two Slices with one differing voxel have different digests."""
        content = hashlib.blake2b(digest_size=16)
        for array in (self.pixels, self.mask, self.position):
            content.update(np.ascontiguousarray(array).tobytes())
        return content.hexdigest()

    @staticmethod
    def concatenate(parts: list[Slices]) -> Slices:
        """All images of `parts` one after the other."""
        return Slices(
            np.concatenate([part.pixels for part in parts]),
            np.concatenate([part.mask for part in parts]),
            np.concatenate([part.position for part in parts]),
        )
