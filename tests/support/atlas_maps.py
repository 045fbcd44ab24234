"""Maps of scans that lie anywhere, whose place on the atlas is known: what a study's comparisons are made of."""

import gzip

import nibabel as nib
import numpy as np
from scipy.spatial.transform import Rotation

from vaead_core.scans import atlas
from vaead_core.scans.geometry import AffineToAtlas
from vaead_core.scans.registration import atlas_grid
from vaead_core.scans.transform_file import itk_text
from vaead_core.study.dataset import Study, StudyScan
from vaead_core.study.names import BidsName
from vaead_core.study.on_atlas import SPACING_MM
from vaead_core.study.results import Results

GRID = atlas_grid(SPACING_MM)
MIDDLE = (atlas.t1().affine @ [*np.argwhere(atlas.brain_mask()).mean(0), 1])[:3]
RIGHT_FRONT = MIDDLE + np.array([30, 25, 10])  # mm of the atlas
RADIUS_MM = 12.0
SIZE = 70  # voxels of 2.5 mm


def place(affine: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """(I, J, K, 3) mm of each voxel."""
    at = np.stack(np.meshgrid(*(np.arange(size) for size in shape), indexing="ij"), axis=-1)
    return at @ affine[:3, :3].T + affine[:3, 3]


def head(at_mm: np.ndarray, level: float, extra: float) -> np.ndarray:
    """A map in the atlas's mm: `level` in a ball of a brain, and `extra` more in a ball of it that lies right and in front."""
    brain = np.linalg.norm((at_mm - MIDDLE) / [62, 75, 58], axis=-1) < 1
    ball = np.linalg.norm(at_mm - RIGHT_FRONT, axis=-1) < RADIUS_MM
    return np.where(brain, level + extra * ball, 0).astype(np.float32)


class Made:
    """A folder of results whose maps lie in scans of any placement and storage order."""

    def __init__(self, folder, seed: int = 0) -> None:
        self.out, self.rng, self.scans, self.rows = folder, np.random.default_rng(seed), [], []

    def scan(self, called: str, group: str, level: float, extra: float = 0.0, stored: str = "RAS") -> None:
        name = BidsName.of(f"{called}_T1w")
        matrix = np.eye(4)  # scan to atlas
        matrix[:3, :3] = Rotation.from_rotvec(self.rng.uniform(-15, 15, 3), degrees=True).as_matrix() * self.rng.uniform(0.9, 1.1)
        matrix[:3, 3] = self.rng.uniform(-40, 40, 3)
        affine = np.diag([2.5, 2.5, 2.5, 1])
        centre = np.linalg.inv(matrix) @ [*MIDDLE, 1]
        affine[:3, 3] = centre[:3] - 2.5 * (SIZE - 1) / 2
        values = head(place(matrix @ affine, (SIZE,) * 3), level, extra)
        image = nib.Nifti1Image(values, affine)
        turn = nib.orientations.ornt_transform(nib.io_orientation(affine), nib.orientations.axcodes2ornt(stored))
        folder = self.out / name.folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{called}_space-T1w_desc-residual_statmap.nii.gz").write_bytes(
            gzip.compress(image.as_reoriented(turn).to_bytes(), 1)
        )
        (folder / f"{called}_from-T1w_to-SRI24_mode-image_xfm.txt").write_text(itk_text(AffineToAtlas(matrix)))
        inside = f"{name.folder}/{name.stem}.nii.gz"
        self.scans.append(StudyScan(self.out / inside, inside, name))
        row = {"scan": called, "participant_id": f"sub-{name.label('sub')}", "group": group, "state": "scored"}
        self.rows.append(row | {"residual_volume": "1.0"})

    @property
    def results(self) -> Results:
        return Results(self.out, Study(self.out, tuple(self.scans)), self.out)
