"""The types a scan passes through: `Volume` (as read) → `Brain` (on the atlas grid) → `Slices` (network input)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import ndimage

from vaead_core.scans.geometry import AffineToAtlas, NativeSpace

Array = np.ndarray


@dataclass(frozen=True)
class Volume:
    """A scan as read, turned to RAS+ axes.

    data: (I, J, K) float32, finite. affine: (4, 4) voxel indices to world mm, RAS+.
    native: how to write a map back onto the file's own grid; None for a volume made in memory.

    >>> data = np.zeros((4, 4, 4), np.float32)
    >>> data[1, 2:, 0] = 1
    >>> Volume(data, np.diag([1.0, 2, 3, 1])).spacing_mm.tolist(), Volume(data, np.eye(4)).box
    ([1.0, 2.0, 3.0], (slice(1, 2, None), slice(2, 4, None), slice(0, 1, None)))
    """

    data: Array
    affine: Array
    name: str = "scan"
    native: NativeSpace | None = None

    def __post_init__(self) -> None:
        if self.data.ndim != 3 or self.affine.shape != (4, 4):
            raise ValueError(f"expected (I, J, K) data and a (4, 4) affine, got {self.data.shape} and {self.affine.shape}")

    @cached_property
    def box(self) -> tuple[slice, slice, slice]:
        """The smallest box of voxels that holds all that is not 0."""
        return ndimage.find_objects((self.data != 0).astype(np.uint8))[0]

    @property
    def spacing_mm(self) -> Array:
        """(3,) voxel edge lengths."""
        return np.linalg.norm(self.affine[:3, :3], axis=0)


@dataclass(frozen=True)
class Brain:
    """A preprocessed scan on the atlas grid.

    intensity: (I, J, K) float32, z-scored in the brain, divided by 3, clipped to [-1, 1]; 0 outside.
    mask: (I, J, K) bool. scan: what it came from. transform: scan world to atlas world.
    mean, spread: of the scan's values in the brain, so that a value is mean + 3 · spread · intensity.
    warnings: plain sentences a user must see beside any map of this scan; they don't name it, as reports hold them.
    """

    intensity: Array
    mask: Array
    spacing_mm: float
    scan: Volume
    transform: AffineToAtlas
    mean: float
    spread: float
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
