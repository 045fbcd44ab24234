"""A scan's map on the atlas grid, where maps of several scans are set beside each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage

from vaead_core.scans.geometry import AffineToAtlas, Grid
from vaead_core.scans.nifti import Said, map_to_nifti, read_nifti
from vaead_core.scans.registration import atlas_grid, to_atlas
from vaead_core.scans.volume import Array, Volume
from vaead_core.study.results import Results

SPACING_MM = 2  # of the atlas grid: the maps of most models are no finer


@dataclass(frozen=True)
class OnAtlas:
    """values: (I, J, K) float32 on the atlas grid, 0 where not `covered`, (I, J, K) bool."""

    values: Array
    covered: Array

    @property
    def grid(self) -> Grid:
        """Where they lie."""
        return atlas_grid(SPACING_MM)

    @property
    def covered_ml(self) -> float:
        """How much that is of the atlas."""
        return float(self.covered.sum()) * SPACING_MM**3 / 1000

    def to_nifti(self, called: str, about: str) -> bytes:
        """As a gzipped file in SRI24's space. called, about: in its header."""
        said = Said("estimate", called, f"vaead: {about}")
        return map_to_nifti(self.values, Volume(self.values, self.grid.affine), np.float32, said)


def scan_on_atlas(results: Results, name: str, method: str, content: Callable[[Path], bytes]) -> OnAtlas:
    """A method's map of a scan, by its table's column `scan`. content: reads a file. Raises InputError."""
    scan = results.scan(name)
    file = results.map_file(scan, method)
    return brought(read_nifti(content(file), file.name, constant=True), results.transform(scan))


def brought(found: Volume, transform: AffineToAtlas) -> OnAtlas:
    """A map, which is 0 outside of the brain; covered is what the brain covers. Its edge is not mixed with the 0 beside it."""
    inside = ndimage.binary_fill_holes(found.data != 0).astype(np.float32)
    values, share = (to_atlas(part, found, transform, atlas_grid(SPACING_MM)) for part in (found.data, inside))
    covered = share > 0.5
    return OnAtlas(np.where(covered, values / np.where(covered, share, 1), 0), covered)
