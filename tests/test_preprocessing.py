import gzip
import inspect
from concurrent.futures import ThreadPoolExecutor

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from tests.support.scans import reoriented
from vaead_core.errors import ScanError
from vaead_core.scans import atlas
from vaead_core.scans.geometry import AffineToAtlas
from vaead_core.scans.heads import with_brain
from vaead_core.scans.nifti import map_to_nifti, read_nifti
from vaead_core.scans.preprocessing import Preprocessor, background_noise
from vaead_core.scans.registration import atlas_grid, register, to_atlas
from vaead_core.scans.volume import Volume


def ball_map(image: nib.Nifti1Image, checkpoint) -> tuple[np.ndarray, nib.Nifti1Image]:
    scan = read_nifti(image.to_bytes())
    brain = checkpoint.to_brain(scan)
    slices = checkpoint.to_slices(brain)
    native = checkpoint.to_scan((slices.pixels > 0.95) & slices.mask, slices, brain)
    back = nib.Nifti1Image.from_bytes(gzip.decompress(map_to_nifti(native, scan)))
    where = np.argwhere(back.get_fdata() > 0.5).mean(0)
    return (back.affine @ [*where, 1])[:3], back


@pytest.mark.parametrize(("codes", "turn"), [("RAS", 0), ("LAS", 0), ("PSR", 0), ("RAS", 12)])
def test_a_map_is_at_the_same_world_place_however_the_scan_is_stored(brain_volume, codes, turn):
    image = reoriented(brain_volume, codes, turn)
    truth = np.argwhere(image.get_fdata() >= image.get_fdata().max() * 0.999).mean(0)
    expected = (image.affine @ [*truth, 1])[:3]
    found, back = ball_map(image, Preprocessor())
    assert np.abs(found - expected).max() < 2, "within one voxel of 2 mm"
    assert back.shape == image.shape
    middle = (image.affine @ [*(np.array(image.shape) / 2), 1])[0]
    assert found[0] > middle, "the ball is in the right hemisphere and stays there"


def test_the_atlas_registers_to_itself():
    transform = register(atlas.t1())
    corners = np.array([[-200, 20, 20, 1], [-40, 200, 130, 1]]).T
    assert np.abs((transform.matrix @ corners - corners)[:3]).max() < 1.5


def test_registering_twice_gives_the_same_transform(brain_volume):
    with ThreadPoolExecutor(2) as threads:  # at once, and without what is remembered
        one, other = threads.map(inspect.unwrap(register), [brain_volume] * 2)
    np.testing.assert_array_equal(one.matrix, other.matrix)
    np.testing.assert_array_equal(one.matrix, register(brain_volume).matrix)


def test_both_grids_cover_the_same_space():
    fine, coarse = atlas_grid(1), atlas_grid(2)
    assert fine.shape == (240, 240, 155)
    assert coarse.shape == (120, 120, 78)
    np.testing.assert_allclose(coarse.affine @ [-0.25, -0.25, -0.25, 1], fine.affine @ [0, 0, 0, 1])


def test_intensities_are_z_scored_by_three_in_the_brain(brain_volume):
    brain = Preprocessor().to_brain(brain_volume)
    inside = brain.intensity[brain.mask]
    assert inside.std() == pytest.approx(1 / 3, abs=0.02)
    assert inside.mean() == pytest.approx(0, abs=0.02)
    assert np.abs(inside).max() <= 1
    assert not brain.intensity[~brain.mask].any()


@pytest.mark.parametrize(("background", "level"), [("black", -1), ("mean", 0)])
def test_plain_backgrounds_have_one_value(brain_volume, background, level):
    preprocessor = Preprocessor(background=background)
    slices = preprocessor.to_slices(preprocessor.to_brain(brain_volume))
    assert (slices.pixels[~slices.mask] == level).all()


def test_noise_background_depends_on_the_position_alone():
    noise = background_noise(2, 0)
    assert noise.std() == pytest.approx(1 / 3, abs=0.01)
    pixels, mask = np.zeros((2, 96, 96), np.float32), np.zeros((2, 96, 96), bool)
    together = Preprocessor().fill_background(pixels, mask, np.array([10, 40]))
    alone = Preprocessor().fill_background(pixels[:1], mask[:1], np.array([40]))
    np.testing.assert_array_equal(together[1], alone[0])


def test_slices_put_back_make_the_brain_again(brain_volume):
    preprocessor = Preprocessor()
    brain = preprocessor.to_brain(brain_volume)
    slices = preprocessor.to_slices(brain)
    assert slices.pixels.shape[1:] == (96, 96)
    back = preprocessor.slice_grid.to_volume(slices.pixels * slices.mask, slices)
    np.testing.assert_array_equal(back[12:108, 12:108], brain.intensity[12:108, 12:108])
    assert not back[:12].any()
    assert not back[:, :12].any()


def test_brain_outside_the_crop_is_said():
    mask = np.zeros((120, 120, 78), bool)
    mask[20:100, 4:100, 20:50] = True
    assert "8.3 % of the brain lies outside" in Preprocessor()._crop_warning(mask)[0]


def test_a_brain_far_smaller_than_the_atlas_is_refused(brain_volume):
    small = Volume(brain_volume.data, brain_volume.affine @ np.diag([0.4, 0.4, 0.4, 1]), "mouse")
    with pytest.raises(ScanError, match=r"smaller than an adult's|could not be brought to the atlas"):
        Preprocessor().to_brain(small)


def test_resampling_a_linear_ramp_between_oblique_grids_is_exact():
    affine = np.diag([2.0, 2, 2, 1])
    affine[:3, :3] = np.array([[0.96, -0.28, 0], [0.28, 0.96, 0], [0, 0, 1]]) @ affine[:3, :3]
    affine[:3, 3] = [-150, 20, 10]
    i, j, k = np.indices((60, 60, 60))
    world = np.einsum("ab,bijk->aijk", affine, np.stack([i, j, k, np.ones_like(i)]))
    scan = Volume((world[0] + 2 * world[1] - world[2]).astype(np.float32), affine)
    grid = atlas_grid(2)
    moved = to_atlas(scan.data, scan, AffineToAtlas(np.eye(4)), grid)
    index = np.array([60, 40, 30])
    x, y, z, _ = grid.affine @ [*index, 1]
    assert moved[tuple(index)] == pytest.approx(x + 2 * y - z, abs=1e-2)


def test_network_input_comes_back_in_the_scans_own_intensities(brain_volume):
    preprocessor = Preprocessor()
    brain = preprocessor.to_brain(brain_volume)
    slices = preprocessor.to_slices(brain)
    back = preprocessor.to_intensity(slices.pixels, slices, brain)
    inner = ndimage.binary_erosion(brain_volume.data > 0, iterations=4)
    error = np.abs(back - brain_volume.data)[inner] / brain_volume.data[inner].std()
    assert np.median(error) < 0.15, "two resamplings apart"
    assert not back[brain_volume.data == 0].any()


def test_the_slice_that_holds_a_voxel_is_found(brain_volume):
    preprocessor = Preprocessor()
    brain = preprocessor.to_brain(brain_volume)
    slices = preprocessor.to_slices(brain)
    rows = np.broadcast_to(np.arange(len(slices), dtype=np.float32)[:, None, None], slices.pixels.shape)
    native = preprocessor.to_scan(rows, slices, brain)
    for voxel in [(60, 60, 30), (50, 70, 45), (70, 50, 55)]:
        assert preprocessor.slice_grid.row_at(voxel, slices, brain) == round(float(native[voxel]))
    assert preprocessor.slice_grid.row_at((60, 60, -40), slices, brain) == 0


@pytest.mark.parametrize("factor", [-1, 1e-3, 1e12], ids=["all below 0", "far too small", "far too large"])
def test_what_cannot_be_laid_on_the_atlas_is_one_sentence(brain_volume, factor):
    values, size = (-1, 1) if factor == -1 else (1, factor)
    scan = Volume(values * brain_volume.data, brain_volume.affine @ np.diag([size, size, size, 1.0]), "scan.nii")
    with pytest.raises(ScanError, match=r"^[^\n]*scan\.nii[^\n]*\.$"):
        Preprocessor().to_brain(scan)


def test_warnings_do_not_name_the_scan_as_reports_hold_them(brain_volume):
    on_constant = np.where(brain_volume.mask, brain_volume.data, -1000)
    brain = Preprocessor().to_brain(with_brain(Volume(on_constant, brain_volume.affine, "DOE^JANE.nii.gz"), extract=True))
    assert all(word in " ".join(brain.warnings) for word in ("background", "extracted"))
    assert not any("JANE" in warning for warning in brain.warnings)
