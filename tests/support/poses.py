"""Brains laid otherwise, for tests and benchmarks."""

from functools import lru_cache

import numpy as np
from nibabel.affines import apply_affine, from_matvec
from scipy.spatial.transform import Rotation

from tests.support.scans import development_data
from vaead_core.scans.nifti import read_nifti
from vaead_core.scans.registration import register
from vaead_core.scans.volume import Volume

_SIDES = {"left": (0, 0), "right": (0, 1), "back": (1, 0), "front": (1, 1), "bottom": (2, 0), "top": (2, 1)}


@lru_cache(maxsize=1)
def ixi_brain() -> Volume:
    """A healthy brain of 2 mm voxels; skips where there is none."""
    return read_nifti(next(development_data("ixi").glob("IXI012*")))


@lru_cache(maxsize=1)
def untouched() -> np.ndarray:
    """(4, 4): where it is put as it lies."""
    return register(ixi_brain()).matrix


def laid(pose: np.ndarray) -> Volume:
    """It, its world changed by `pose` (4, 4)."""
    return Volume(ixi_brain().data, pose @ ixi_brain().affine, "laid.nii")


def turn(scan: Volume, x: float, y: float, z: float) -> np.ndarray:
    """(4, 4): by degrees about the axes to the right, to the front and up, about the brain's centre."""
    return about_its_centre(scan, Rotation.from_euler("xyz", [x, y, z], degrees=True).as_matrix())


def about_its_centre(scan: Volume, turn: np.ndarray) -> np.ndarray:
    """(4, 4): the world turned (and sized) by `turn` (3, 3) about the centre of the scan's brain."""
    centre = apply_affine(scan.affine, np.argwhere(scan.mask).mean(0))
    return from_matvec(turn, centre - turn @ centre)


def without(scan: Volume, side: str, share: float) -> Volume:
    """`scan` with 0 in place of a `share` of its brain's extent, from one side."""
    axis, last = _SIDES[side]
    held, data = scan.box[axis], scan.data.copy()
    count = round((held.stop - held.start) * share)
    gone = slice(held.stop - count, None) if last else slice(0, held.start + count)
    data[tuple(gone if other == axis else slice(None) for other in range(3))] = 0
    return Volume(data, scan.affine, scan.name)


def error_mm(scan: Volume, pose: np.ndarray, posed_to_atlas: np.ndarray, untouched_to_atlas: np.ndarray) -> float:
    """Mean mm of the atlas, over the scan's brain, between where its tissue is put once posed and where untouched."""
    places = apply_affine(scan.affine, np.argwhere(scan.mask)[::17])
    away = apply_affine(posed_to_atlas @ pose, places) - apply_affine(untouched_to_atlas, places)
    return float(np.linalg.norm(away, axis=1).mean())
