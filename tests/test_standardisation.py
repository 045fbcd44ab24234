"""What makes a scan's intensities those of other scanners' scans."""

import numpy as np
import pytest
from nibabel.affines import apply_affine

from vaead_core.errors import ScanError
from vaead_core.scans import atlas
from vaead_core.scans.geometry import AffineToAtlas
from vaead_core.scans.intensity import IntensityScale
from vaead_core.scans.registration import atlas_grid, coarsened, to_atlas
from vaead_core.scans.slice_grid import atlas_brain
from vaead_core.scans.standardisation import STANDARD, TISSUES, field_on_atlas, tissue_scale
from vaead_core.scans.volume import Volume

GRID = atlas_grid(2)


@pytest.fixture(scope="module")
def brain():
    """(values, mask) on the atlas grid of 2 mm: the atlas's own, which no scanner shaded."""
    mask = atlas_brain(2)
    return to_atlas(atlas.t1().data, atlas.t1(), AffineToAtlas(np.eye(4)), GRID) * mask, mask


@pytest.fixture(scope="module")
def labels():
    straight = AffineToAtlas(np.eye(4))
    return to_atlas(atlas.tissues().astype(np.float32), atlas.t1(), straight, GRID, nearest=True).astype(int)


def shading(strength: float) -> np.ndarray:
    """A field that rises from left to right and falls from back to front."""
    i, j, k = np.indices(GRID.shape) / np.reshape(GRID.shape, (3, 1, 1, 1)) - 0.5
    return np.exp(strength * (2 * i - 1.5 * j + k * k)).astype(np.float32)


def dark(values: np.ndarray, centre: tuple[int, int, int], radius: int) -> tuple[np.ndarray, np.ndarray]:
    """`values` with a ball of 0.7 times them, and where it is."""
    i, j, k = np.indices(values.shape)
    ball = (i - centre[0]) ** 2 + (j - centre[1]) ** 2 + (k - centre[2]) ** 2 <= radius**2
    return np.where(ball, 0.7 * values, values), ball


def test_finer_voxels_are_averaged_where_they_lie():
    data = np.zeros((41, 40, 39), np.float32)
    data[4:36, 5:35, 6:33] = 100
    data[20:24, 10:14, 16:20] = 160
    affine = np.array([[-0.8, 0, 0, 30], [0, 0, 1.0, -20], [0, 0.9, 0, 5], [0, 0, 0, 1]])
    scan = Volume(data, affine)
    coarse = coarsened(scan, 2)
    assert coarse.data.shape == (21, 20, 20)
    assert np.allclose(coarse.spacing_mm, [1.6, 1.8, 2.0])
    assert np.unique(coarse.data[coarse.mask]).min() >= 99.99, "nothing of the background is mixed in"

    def centre(volume: Volume) -> np.ndarray:
        bright = volume.data > 130
        return apply_affine(volume.affine, np.argwhere(bright)).mean(0)

    assert np.allclose(centre(coarse), centre(scan))
    assert coarsened(coarse, 2) is coarse


def test_noise_of_fine_voxels_is_averaged_as_a_coarse_scans():
    rng = np.random.default_rng(0)
    fine = Volume((100 + rng.normal(0, 8, (40, 40, 40))).astype(np.float32), np.eye(4), brain=np.ones((40, 40, 40), bool))
    assert coarsened(fine, 2).data.std() == pytest.approx(8 / np.sqrt(8), rel=0.1)


def test_the_field_is_found_whatever_tissues_there_are(brain):
    values, mask = brain
    put = shading(0.4)
    found = field_on_atlas(values * put, mask, 2, "scan")
    own = field_on_atlas(values, mask, 2, "scan")
    ratio = np.log(found / own / put)[mask]
    assert np.std(np.log(put)[mask]) > 0.1
    assert np.std(ratio) < 0.2 * np.std(np.log(put)[mask]), "four fifths of what was put in are taken out"
    assert found[mask].mean() == pytest.approx(1, rel=1e-4)


def test_the_field_leaves_a_large_lesion_as_dark_as_it_is(brain):
    values, mask = brain
    ill, ball = dark(values, (45, 60, 46), 12)
    ratio = field_on_atlas(ill, mask, 2, "scan") / field_on_atlas(values, mask, 2, "scan")
    assert ratio[ball & mask].mean() > 0.97, "of 30 % of darkness at most 3 are taken for field"


def test_tissues_get_their_standard_values_on_any_scale(brain, labels):
    values, mask = brain
    for scan in (values, 7 * values + 40, 1000 * (values / values.max()) ** 0.6):
        scale = tissue_scale(scan, mask, 2, "scan")
        seen = scale.to_network(scan)
        assert [float(np.median(seen[mask & (labels == tissue)])) for tissue in TISSUES] == pytest.approx(STANDARD, abs=1e-5)
        np.testing.assert_allclose(scale.to_own(seen)[mask], scan[mask], rtol=1e-4, atol=1e-3)


def test_a_lesion_hardly_moves_the_scale(brain):
    values, mask = brain
    ill, ball = dark(values, (45, 60, 46), 12)
    healthy, changed = (tissue_scale(scan, mask, 2, "scan").to_network(values)[mask] for scan in (values, ill))
    assert ball[mask].mean() > 0.008
    assert np.abs(healthy - changed).max() < 0.02


def test_what_is_no_t1_contrast_is_refused(brain):
    values, mask = brain
    with pytest.raises(ScanError, match="grey matter is not brighter than fluid"):
        tissue_scale((values.max() - values) * mask, mask, 2, "t2.nii")


def test_a_scale_goes_on_beyond_its_ends():
    scale = IntensityScale((10.0, 20.0, 30.0), (-0.4, 0.0, 0.2))
    assert scale.to_network(np.array([0.0, 40.0])).tolist() == pytest.approx([-0.8, 0.4])
    assert scale.moved(5).to_own(np.array([-0.4, 0.2])).tolist() == pytest.approx([15, 35])
