"""Where voxels lie: grids, the way from a scan to the atlas, a file's own axes."""

from __future__ import annotations

from dataclasses import dataclass

import nibabel as nib
import numpy as np
from nibabel import orientations
from scipy.linalg import polar
from scipy.spatial.transform import Rotation

TURNED_DEGREES = 30.0  # no neck bends so far within a head coil: beyond, it is the header that turns the head


@dataclass(frozen=True)
class Grid:
    """A voxel grid in atlas space. shape: (I, J, K); affine: (4, 4) indices to atlas mm, RAS+."""

    shape: tuple[int, int, int]
    affine: np.ndarray


@dataclass(frozen=True)
class AffineToAtlas:
    """matrix: (4, 4) scan world mm to atlas world mm, both RAS+."""

    matrix: np.ndarray


_AXES = ("left-right", "front-back", "vertical")
_LEANING = (
    ("chin down", "chin up"),
    ("top of the head to the left", "top of the head to the right"),
    ("face to the right", "face to the left"),
)
_ALONG_AN_AXIS = 0.85  # of a turn's unit vector: within 32° of the axis


@dataclass(frozen=True)
class Placement(AffineToAtlas):
    """Where a scan's brain lies on the atlas, and how well.

    similarity: correlation with the atlas's T1 within both brains. dice: of the two brains.
    covered_share: of the atlas's brain, how much the scan's covers. missing_part: where most of the rest lies (`top`).
    cut: whether the scan ends within the brain.
    """

    similarity: float
    dice: float
    covered_share: float
    missing_part: str
    cut: bool = False

    @property
    def outside_share(self) -> float:
        """Of the scan's brain, how much lies outside the atlas's.

        >>> round(Placement(np.eye(4), 0.6, 0.8, 1.0, "").outside_share, 3)
        0.333
        """
        return 1 - self.dice / (2 - self.dice / self.covered_share) if self.dice else 1.0

    @property
    def stretch(self) -> float:
        """How much longer than the atlas's the brain is in one direction than in another, 1 for alike.

        >>> round(Placement(np.diag([1.0, 1.2, 1.5, 1.0]), 0.6, 0.8, 1.0, "").stretch, 3)
        1.5
        """
        sizes = np.linalg.svd(self.matrix[:3, :3], compute_uv=False)
        return float(sizes[0] / sizes[-1])

    @property
    def turn_degrees(self) -> np.ndarray:
        """(3,) by how much the head is turned in the header's axes: a vector along the turn's axis, right-handed, RAS."""
        rotation, _ = polar(self.matrix[:3, :3])
        return -Rotation.from_matrix(rotation).as_rotvec(degrees=True)

    @property
    def rotation_degrees(self) -> float:
        """The angle of that turn, 0 to 180."""
        return float(np.linalg.norm(self.turn_degrees))

    @property
    def rotation_in_words(self) -> str:
        """What that turn is.

        >>> back = np.eye(4)
        >>> back[:3, :3] = Rotation.from_rotvec([21, 0, 0], degrees=True).as_matrix()
        >>> Placement(back, 0.6, 0.95, 1.0, "").rotation_in_words
        'tilted by 21° (chin down)'
        >>> Placement(np.diag([-1.0, -1, 1, 1]), 0.6, 0.95, 1.0, "").rotation_in_words
        'turned by 180° about the vertical axis'
        """
        turn, angle = self.turn_degrees, self.rotation_degrees
        axis = int(np.abs(turn).argmax())
        along = angle > 0 and abs(turn[axis]) / angle > _ALONG_AN_AXIS
        if angle < TURNED_DEGREES and along:
            return f"tilted by {angle:.0f}° ({_LEANING[axis][int(turn[axis] > 0)]})"
        return f"turned by {angle:.0f}° about {f'the {_AXES[axis]}' if along else 'an oblique'} axis"


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
