"""A scan to network input and a map back: the same frozen settings for training, evaluation and the app."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from nibabel.affines import from_matvec
from scipy import ndimage

from vaead_core.errors import ScanError
from vaead_core.scans.heads import is_whole_head
from vaead_core.scans.registration import coarsened, gate, register, to_atlas, to_scan
from vaead_core.scans.slice_grid import CROP, SliceGrid
from vaead_core.scans.standardisation import field_on_atlas, tissue_scale, z_scale
from vaead_core.scans.volume import Array, Brain, Slices, Volume

_INVERTED = 0.95  # of the brain below the background: a scan scaled to mean 0 has about half of it there


@dataclass(frozen=True)
class Preprocessor:
    """How scans become images. Stored in the checkpoint; the app reads it only from there.

    spacing_mm: 1 or 2, the atlas grid. background: what replaces the voxels outside the brain:
    `noise` N(0, 1/3) clipped to [-1, 1], the brain's own distribution; `black` -1; `mean` 0.
    averaged: finer voxels are averaged before they are sampled on that grid. bias: of the receiver's field, `n4` takes it
    out. contrast: `z` scores the brain's values, `tissues` gives CSF, grey and white matter standard values.
    """

    spacing_mm: Literal[1, 2] = 2
    background: Literal["noise", "black", "mean"] = "noise"
    background_seed: int = 0
    averaged: bool = False
    bias: Literal["kept", "n4"] = "kept"
    contrast: Literal["z", "tissues"] = "z"

    @property
    def slice_grid(self) -> SliceGrid:
        """Where the pixels of its slices lie."""
        return SliceGrid(self.spacing_mm)

    def to_brain(self, scan: Volume) -> Brain:
        """The scan registered to SRI24 and z-scored in the brain. Raises ScanError if it cannot be a brain."""
        notes = scan.notes + _background_notes(scan)
        _refuse_whole_head(scan)
        gate.refuse_no_brain(scan)
        gate.refuse_outlying(scan)
        transform = register(scan)
        gate.refuse_poor(transform, scan)
        seen = coarsened(scan, self.spacing_mm) if self.averaged else scan
        mask = ndimage.binary_fill_holes(to_atlas(seen.mask.astype(np.float32), seen, transform, self.slice_grid.atlas) > 0.5)
        own = to_atlas(seen.tissue, seen, transform, self.slice_grid.atlas)
        if own[mask].std() == 0:
            raise ScanError(f"The brain in {scan.name} has one constant value; a scan must have contrast.")
        field = field_on_atlas(own, mask, self.spacing_mm, scan.name) if self.bias == "n4" else None
        even = own if field is None else own / field
        scale = z_scale(even[mask]) if self.contrast == "z" else tissue_scale(even, mask, self.spacing_mm, scan.name)
        intensity = (np.clip(scale.to_network(even), -1, 1) * mask).astype(np.float32)
        warnings = notes + gate.warnings(transform) + self._crop_warning(mask)
        return Brain(intensity, mask, self.spacing_mm, scan, transform, scale.moved(scan.floor), field, warnings)

    def to_slices(self, brain: Brain) -> Slices:
        """The axial slices that hold brain, centre-cropped, background filled. Rows run along j, columns along i."""
        pixels = self.slice_grid.cut(brain.intensity)
        mask = self.slice_grid.cut(brain.mask)
        position = np.flatnonzero(mask.any(axis=(1, 2)))
        pixels, mask = pixels[position], mask[position]
        return Slices(self.fill_background(pixels, mask, position), mask, position)

    def fill_background(self, pixels: Array, mask: Array, position: Array) -> Array:
        """`pixels` (N, H, W) with what lies outside `mask` replaced; noise depends on the slice's position alone.

        >>> pixels, mask = np.array([[[0.5, 0.7]]]), np.array([[[True, False]]])
        >>> Preprocessor(background="black").fill_background(pixels, mask, np.array([40])).tolist()
        [[[0.5, -1.0]]]
        """
        if self.background == "noise":
            filling = background_noise(self.spacing_mm, self.background_seed)[position]
        else:
            filling = np.float32(-1 if self.background == "black" else 0)
        return np.where(mask, pixels, filling).astype(np.float32)

    def to_scan(self, maps: Array, slices: Slices, brain: Brain, nearest: bool = False) -> Array:
        """(N, H, W) maps on the scan's own RAS+ grid (what `map_to_nifti` takes), float32, 0 outside the brain."""
        scan = brain.scan
        held = Volume(scan.data[scan.box], scan.affine @ from_matvec(np.eye(3), [side.start for side in scan.box]))
        native = np.zeros(scan.data.shape, np.float32)
        moved = to_scan(self.slice_grid.to_volume(maps, slices), self.slice_grid.atlas, brain.transform, held, nearest)
        native[scan.box] = moved * scan.mask[scan.box]
        return native

    def to_intensity(self, images: Array, slices: Slices, brain: Brain) -> Array:
        """(N, H, W) network images (a reconstruction) on the scan's own RAS+ grid, in its intensities, its background outside."""
        inside = brain.scale.to_own(self.to_scan(images, slices, brain))
        if brain.field is not None:
            around = to_scan(brain.field, self.slice_grid.atlas, brain.transform, brain.scan)
            inside = brain.scan.floor + (inside - brain.scan.floor) * np.where(around > 0, around, 1)
        return np.where(brain.scan.mask, inside, brain.scan.background or 0)

    def truth_to_slices(self, truth: Array, brain: Brain) -> Array:
        """(N, H, W) bool: a mask on the scan's RAS+ grid, seen on the slices of `to_slices(brain)`."""
        moved = to_atlas(truth.astype(np.float32), brain.scan, brain.transform, self.slice_grid.atlas) > 0.5
        cropped = self.slice_grid.cut(brain.mask).any(axis=(1, 2))
        return self.slice_grid.cut(moved)[cropped]

    def _crop_warning(self, mask: Array) -> tuple[str, ...]:
        share = 1 - self.slice_grid.cut(mask).sum() / mask.sum()
        if share < 0.002:
            return ()
        return (f"{100 * share:.1f} % of the brain lies outside the cropped slices and is not scored.",)


@lru_cache(maxsize=2)
def background_noise(spacing_mm: int, seed: int) -> Array:
    """(K, H, W) float32 N(0, 1/3) clipped to [-1, 1], one fixed image a slice position; read-only."""
    shape = (SliceGrid(spacing_mm).depth, CROP[spacing_mm], CROP[spacing_mm])
    noise = np.clip(np.random.default_rng(seed).standard_normal(shape, np.float32) / 3, -1, 1)
    noise.setflags(write=False)
    return noise


def _background_notes(scan: Volume) -> tuple[str, ...]:
    """What was made of a background that is not a plain 0 below the brain. Raises ScanError for a negative picture."""
    if scan.darker > _INVERTED:
        raise ScanError(f"The brain in {scan.name} is darker than what lies around it; give a T1 scan on a dark background.")
    if scan.background is None or scan.background == scan.floor == 0:
        return ()
    outside = f"The value {scan.background:.6g} around the brain is taken as background"
    if scan.floor == scan.background:
        return (f"{outside}, as 0 would be.",)
    return (f"{outside}; as the brain has values on both sides of it, its darkest counts as dark.",)


def _refuse_whole_head(scan: Volume) -> None:
    """Scans whose brain nobody knows yet."""
    if is_whole_head(scan):
        raise ScanError(f"{scan.name} is a whole head; vaead maps a brain alone, so extract it first or give its mask.")
    if scan.brain is None and scan.background is None:
        raise ScanError(
            f"No constant value lies around the brain in {scan.name}; set what is outside to 0, or extract the brain first."
        )
