"""One head stored in four ways, through the real command and a model that ships: the same map in world space."""

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation

from tests.support.scans import reoriented
from vaead_core.__main__ import main
from vaead_core.checkpoints.search import shipped
from vaead_core.cohorts.synthetic import synthetic_brain
from vaead_core.scans.volume import Volume

STORED = ("RAS", "LAS", "PSR", "oblique")
SCORERS = ("normalised_residual", "residual", "voxel_atlas")
VOXEL_MM = 2.0
BALL_MM = np.array([-31.5, 24.0, 15.0])  # in the left hemisphere: x is negative


@pytest.fixture(scope="module")
def head() -> Volume:
    """A synthetic brain about the origin of the world, and a bright ball of 10 mm radius at BALL_MM."""
    brain = synthetic_brain(7, 0, 40.0)
    affine = brain.affine.copy()
    affine[:3, 3] -= (affine @ [*np.argwhere(brain.data > 0).mean(0), 1])[:3]
    i, j, k = np.indices(brain.data.shape)
    away = np.einsum("ab,bijk->aijk", affine[:3], np.stack([i, j, k, np.ones_like(i)])) - BALL_MM[:, None, None, None]
    ball = (np.linalg.norm(away, axis=0) < 10) & (brain.data > 0)
    return Volume(np.where(ball, 1.2 * brain.data.max(), brain.data).astype(np.float32), affine)


@pytest.fixture(scope="module")
def maps(head, tmp_path_factory) -> dict[tuple[str, str], nib.Nifti1Image]:
    """(storage, scorer) → the map as written."""
    folder = tmp_path_factory.mktemp("heads")
    for name in STORED:
        nib.save(oblique(head) if name == "oblique" else reoriented(head, name), folder / f"{name}.nii.gz")
    scans = [str(folder / f"{name}.nii.gz") for name in STORED]
    options = ["--checkpoint", str(shipped()), "--scorers", *SCORERS, "--out", str(folder / "maps")]
    assert main(["score", *scans, *options]) == 0
    return {(name, scorer): nib.load(folder / "maps" / f"{name}_{scorer}.nii.gz") for name in STORED for scorer in SCORERS}


def oblique(head: Volume) -> nib.Nifti1Image:
    """The same world, sampled on a grid of the same spacing turned about all three axes."""
    shape = np.array([120, 120, 110])
    affine = np.eye(4)
    affine[:3, :3] = VOXEL_MM * Rotation.from_euler("xyz", [15, -10, 20], degrees=True).as_matrix()
    affine[:3, 3] = -affine[:3, :3] @ ((shape - 1) / 2)
    return nib.Nifti1Image(sampled(head.data, head.affine, shape, affine), affine)


def sampled(data, affine, shape, target) -> np.ndarray:
    """`data` at the world places of another grid."""
    voxels = np.linalg.inv(affine) @ target
    return ndimage.affine_transform(data, voxels[:3, :3], voxels[:3, 3], tuple(shape), order=1)


def response_mm(image: nib.Nifti1Image) -> np.ndarray:
    """Where in the world the strongest response has its centre."""
    smooth = ndimage.gaussian_filter(np.abs(image.get_fdata()), 2)
    regions, _ = ndimage.label(smooth > 0.8 * smooth.max())
    return (image.affine @ [*ndimage.center_of_mass(smooth, regions, regions.flat[smooth.argmax()]), 1])[:3]


@pytest.mark.parametrize("name", STORED)
def test_left_is_left_and_the_response_is_where_the_ball_is(maps, name):
    found = response_mm(maps[name, "residual"])
    assert found[0] < 0
    assert np.linalg.norm(found - BALL_MM) < VOXEL_MM


@pytest.mark.parametrize("scorer", SCORERS)
def test_the_response_is_at_one_place_however_the_head_is_stored(maps, scorer):
    places = np.array([response_mm(maps[name, scorer]) for name in STORED])
    assert np.linalg.norm(places[:, None] - places, axis=-1).max() < VOXEL_MM


@pytest.mark.parametrize("scorer", SCORERS)
@pytest.mark.parametrize("name", ["LAS", "PSR"])
def test_the_order_of_the_axes_changes_no_value(maps, name, scorer):
    assert nib.aff2axcodes(maps[name, scorer].affine) == tuple(name), "the map has the scan's own order"
    one, other = (nib.as_closest_canonical(maps[key, scorer]) for key in ("RAS", name))
    np.testing.assert_allclose(other.affine, one.affine, atol=1e-4)
    np.testing.assert_allclose(other.get_fdata(), one.get_fdata(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("scorer", SCORERS)
def test_the_map_of_an_oblique_scan_fits_best_where_it_lies(head, maps, scorer):
    oblique_map, brain = maps["oblique", scorer], head.data > 0
    straight = maps["RAS", scorer].get_fdata()
    turned = sampled(oblique_map.get_fdata(), oblique_map.affine, head.data.shape, head.affine)
    steps = [(0, 0, 0), *(tuple(sign * row) for row in np.eye(3, dtype=int) for sign in (-1, 1))]
    fits = [np.corrcoef(np.roll(turned, step, (0, 1, 2))[brain], straight[brain])[0, 1] for step in steps]
    assert fits[0] > 0.8
    assert fits[0] > max(fits[1:]) + 0.03, "one voxel aside it fits worse, in every direction"
