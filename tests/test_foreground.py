"""What is tissue in files from everywhere: the constant around it, cavities in it, values on both sides of it."""

import gzip

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from vaead_core.errors import ScanError
from vaead_core.scans.foreground import foreground, with_holes_filled
from vaead_core.scans.nifti import read_nifti
from vaead_core.scans.preprocessing import Preprocessor
from vaead_core.scans.volume import Volume

BOX = (slice(46, 52), slice(60, 66), slice(44, 48))  # in the white matter of the phantom


def changed(volume: Volume, **changes) -> Volume:
    return Volume(**{"data": volume.data, "affine": volume.affine, "name": volume.name} | changes)


@pytest.fixture(scope="module")
def brain(brain_volume):
    """As an ordinary scan: positive values, 0 outside. Whole 64ths, from which float32 takes a constant of few digits exactly:
    what is left is then the same scan, which is registered once."""
    volume = changed(brain_volume, data=np.ceil(brain_volume.data * 64) / np.float32(64))
    return volume, Preprocessor().to_brain(volume)


def same_input(one, other) -> bool:
    return bool((one.mask == other.mask).all()) and np.abs(one.intensity - other.intensity).max() < 2e-3


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.7, 0.85, 1.0])
def test_holes_are_those_of_scipy_wherever_the_mask_lies_in_its_array(share):
    draw = np.random.default_rng(int(100 * share))
    for _ in range(50):
        mask = draw.random(draw.integers(1, 9, 3)) < share
        mask = np.pad(mask, draw.integers(0, 3, (3, 2)))
        np.testing.assert_array_equal(with_holes_filled(mask), ndimage.binary_fill_holes(mask))


@pytest.mark.parametrize("constant", [-0.00077, -1.0, -1000.0, 25.0])
def test_a_constant_around_the_brain_is_background_whatever_its_value(brain, constant):
    volume, plain = brain
    moved = changed(volume, data=(volume.data.astype(np.float64) + constant).astype(np.float32))
    found = Preprocessor().to_brain(moved)
    assert same_input(found, plain)
    assert found.scale.own == pytest.approx(np.add(plain.scale.own, constant), rel=1e-3)
    assert f"{constant:.6g}" in found.warnings[0]
    assert "taken as background" in found.warnings[0]
    assert not plain.warnings


@pytest.mark.parametrize("rest", [np.nan, 0.0, -3.0])
def test_nan_around_the_brain_is_background_wholly_or_in_part(brain, rest):
    volume, plain = brain
    data = np.where(volume.data == 0, np.float32(rest), volume.data + (0 if np.isnan(rest) else np.float32(rest)))
    data[:30] = np.where(volume.data[:30] == 0, np.nan, data[:30])
    image = nib.Nifti1Image(data, volume.affine)
    found = Preprocessor().to_brain(read_nifti(gzip.compress(image.to_bytes()), "scan.nii.gz"))
    assert same_input(found, plain)
    assert "NaN around the brain is taken as background" in found.warnings[0]


def test_nan_within_the_brain_is_refused_and_counted(brain):
    data = np.where(brain[0].data == 0, np.nan, brain[0].data)
    outside = int(np.isnan(data).sum())
    data[BOX] = np.nan
    image = nib.Nifti1Image(data.astype(np.float32), brain[0].affine)
    with pytest.raises(ScanError, match=rf"^scan\.nii has {outside + 6 * 6 * 4} NaN or infinite voxels"):
        read_nifti(image.to_bytes(), "scan.nii")


def test_a_constant_that_float32_resampling_roughened_is_one(brain):
    rough = np.random.default_rng(0).uniform(1 - 2e-7, 1 + 2e-7, brain[0].data.shape) * -7.3
    data = np.where(brain[0].data == 0, rough, brain[0].data).astype(np.float32)
    assert (changed(brain[0], data=data).mask == brain[0].mask).all()


def test_a_scan_scaled_to_mean_0_is_read_with_its_darkest_as_dark(brain):
    volume, plain = brain
    inside = volume.data[volume.mask]
    scaled = np.where(volume.mask, (volume.data - inside.mean()) / inside.std(), 0).astype(np.float32)
    found = Preprocessor().to_brain(changed(volume, data=scaled))
    shared = found.mask & plain.mask
    assert 2 * shared.sum() / (found.mask.sum() + plain.mask.sum()) > 0.99
    assert np.abs(found.intensity - plain.intensity)[shared].mean() < 0.05
    mean, three_deviations_above = found.scale.own
    assert mean == pytest.approx(0, abs=0.15)
    assert three_deviations_above - mean == pytest.approx(3, abs=0.45)
    assert "both sides" in found.warnings[0]


def test_a_negative_picture_is_refused(brain):
    with pytest.raises(ScanError, match="darker than what lies around it"):
        Preprocessor().to_brain(changed(brain[0], data=-brain[0].data))


def test_few_values_below_the_background_come_from_resampling_and_change_nothing(brain):
    data = brain[0].data.copy()
    data[BOX] = -2.0
    found = foreground(data)
    assert found.floor == found.background == 0
    assert changed(brain[0], data=data).tissue is not None
    assert (changed(brain[0], data=data).tissue == data).all()


def test_a_cavity_of_the_backgrounds_value_has_a_map_as_one_of_another_value(brain):
    maps = []
    for value in (0.0, 1e-4 * brain[0].data.max()):
        data = brain[0].data.copy()
        data[BOX] = value
        scan = changed(brain[0], data=data)
        assert scan.mask[BOX].all()
        ready = Preprocessor().to_brain(scan)
        slices = Preprocessor().to_slices(ready)
        maps.append(Preprocessor().to_scan(np.where(slices.mask, 2 - slices.pixels, 0).astype(np.float32), slices, ready))
    assert maps[0][BOX].min() > 1.5
    inner = ndimage.binary_erosion(brain[0].mask, iterations=3)  # at the edge a voxel enters or leaves with a micrometre
    np.testing.assert_allclose(maps[0][inner], maps[1][inner], atol=0.02)


def test_an_array_without_a_constant_border_is_tissue_throughout():
    noise = np.random.default_rng(1).uniform(1, 2, (9, 9, 9)).astype(np.float32)
    assert foreground(noise).background is None
    assert foreground(noise).mask.all()
