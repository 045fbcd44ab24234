"""Where voxels lie: grids, the way from a scan to the atlas, a file's own axes."""

from __future__ import annotations

from dataclasses import dataclass

import nibabel as nib
import numpy as np
from nibabel import orientations


@dataclass(frozen=True)
class Grid:
    """A voxel grid in atlas space. shape: (I, J, K); affine: (4, 4) indices to atlas mm, RAS+."""

    shape: tuple[int, int, int]
    affine: np.ndarray


@dataclass(frozen=True)
class AffineToAtlas:
    """matrix: (4, 4) scan world mm to atlas world mm, both RAS+."""

    matrix: np.ndarray


@dataclass(frozen=True)
class NativeSpace:
    """The file's own grid: its 3-D shape, what its header says of space, and how its axes turn into RAS+.

    >>> backwards = NativeSpace((2, 1, 1), nib.Nifti1Header(), orientations.axcodes2ornt("LAS"))
    >>> backwards.from_ras(np.array([[[1]], [[2]]])).ravel().tolist()
    [2, 1]
    >>> (backwards.voxels_from_ras @ [0, 0, 0, 1])[0].item()
    1.0
    """

    shape: tuple[int, int, int]
    header: nib.Nifti1Header
    to_ras: np.ndarray

    @property
    def voxels_from_ras(self) -> np.ndarray:
        """(4, 4): voxel indices of the RAS+ array to the file's own."""
        return orientations.inv_ornt_aff(self.to_ras, self.shape)

    def from_ras(self, data: np.ndarray) -> np.ndarray:
        """(I, J, K) in RAS+ order back to the file's own axis order and directions."""
        inverse = orientations.ornt_transform(orientations.axcodes2ornt(("R", "A", "S")), self.to_ras)
        return orientations.apply_orientation(data, inverse)
