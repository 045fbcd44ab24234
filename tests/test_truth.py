"""A mask beside a scan: on its own grid, by world coordinates, with labels and shares, and refused where it lies elsewhere."""

import nibabel as nib
import numpy as np
import pytest

from tests.support.scans import reoriented
from vaead_core.errors import ScanError
from vaead_core.scans.truth import read_truth
from vaead_core.scans.volume import Volume

LESION = (slice(10, 14), slice(12, 18), slice(9, 12))


@pytest.fixture(scope="module")
def scan() -> Volume:
    """A block of brain, 2 mm, off the centre of its world."""
    data = np.zeros((30, 32, 28), np.float32)
    data[5:25, 6:26, 4:24] = np.random.default_rng(0).uniform(50, 200, (20, 20, 20))
    affine = np.diag([2.0, 2, 2, 1])
    affine[:3, 3] = [-31, 12, -40]
    return Volume(data, affine, "scan.nii.gz")


@pytest.fixture(scope="module")
def lesion(scan):
    mask = np.zeros(scan.data.shape, np.float32)
    mask[LESION] = 1
    return mask


def stored(mask, affine) -> bytes:
    return nib.Nifti1Image(np.asarray(mask, np.float32), affine).to_bytes()


def read(scan, mask, affine=None, **options):
    return read_truth(stored(mask, scan.affine if affine is None else affine), scan, "lesion.nii", **options)


@pytest.mark.parametrize("value", [1, 255, 3])
def test_a_mask_on_the_scans_grid_is_taken_voxel_by_voxel_whatever_its_value(scan, lesion, value):
    truth = read(scan, value * lesion)
    np.testing.assert_array_equal(truth.marked, lesion > 0)
    assert truth.notes == ()


@pytest.mark.parametrize("codes", ["LPS", "PSR", "SAR"])
def test_a_mask_in_another_storage_order_is_the_same(scan, lesion, codes):
    content = reoriented(Volume(lesion, scan.affine), codes).to_bytes()
    np.testing.assert_array_equal(read_truth(content, scan, "lesion.nii").marked, lesion > 0)


def test_a_mask_of_another_place_and_the_same_shape_lies_where_its_header_says(scan, lesion):
    affine = scan.affine.copy()
    affine[:3, 3] += [8, -4, 6]
    truth = read(scan, lesion, affine)
    moved = np.zeros_like(lesion, bool)
    moved[14:18, 10:16, 12:15] = True
    np.testing.assert_array_equal(truth.marked, moved)
    assert "resampled by the world coordinates" in truth.notes[0]


def test_a_mask_of_another_voxel_size_covers_the_same_tissue(scan, lesion):
    affine = scan.affine @ np.diag([0.5, 0.5, 0.5, 1])
    affine[:3, 3] = scan.affine[:3, 3] - 0.5  # the corners of the voxels, and not their centres, agree
    fine = lesion.repeat(2, 0).repeat(2, 1).repeat(2, 2)
    np.testing.assert_array_equal(read(scan, fine, affine).marked, lesion > 0)


@pytest.mark.parametrize("shift", [(200, 0, 0), (-34, 0, 0)], ids=["beyond the picture", "beside the brain"])
def test_a_mask_that_does_not_lie_in_the_brain_is_refused(scan, lesion, shift):
    affine = scan.affine.copy()
    affine[:3, 3] += shift
    with pytest.raises(ScanError, match=r"^\d+ % of lesion\.nii lies in the brain of scan\.nii\.gz; give a mask drawn"):
        read(scan, lesion, affine)


def test_what_lies_outside_the_brain_does_not_count_and_is_said(scan, lesion):
    wide = lesion.copy()
    wide[10:14, 26:28, 9:12] = 1
    truth = read(scan, wide)
    np.testing.assert_array_equal(truth.marked, lesion > 0)
    assert truth.notes == ("25 % of lesion.nii lies outside the brain and does not count.",)


def test_shares_are_cut_at_one_half_and_said(scan, lesion):
    truth = read(scan, np.where(lesion > 0, 0.7, 0.2))
    np.testing.assert_array_equal(truth.marked, lesion > 0)
    assert truth.notes[0] == "lesion.nii has values between 0 and 1; those above 0.5 count."


def test_what_interpolation_adds_to_a_mask_does_not_make_it_a_picture(scan, lesion):
    truth = read(scan, np.where(lesion > 0, 1.08, -0.06) + 0.01 * (scan.data > 0))
    np.testing.assert_array_equal(truth.marked, lesion > 0)
    assert truth.notes[0] == "lesion.nii has values between 0 and 1; those above 0.5 count."


@pytest.mark.parametrize("value", [255, 1.0001, 1e-3])
def test_one_value_beside_0_is_what_is_marked_whatever_it_is(scan, lesion, value):
    truth = read(scan, value * (lesion > 0))
    np.testing.assert_array_equal(truth.marked, lesion > 0)
    assert truth.notes == ()


def test_labels_all_count_or_those_that_are_asked_for(scan, lesion):
    labels = lesion.copy()
    labels[10:12][labels[10:12] > 0] = 4
    assert read(scan, labels).notes == ("lesion.nii has the labels 1, 4; all of them count.",)
    np.testing.assert_array_equal(read(scan, labels).marked, lesion > 0)
    chosen = read(scan, labels, labels=[4])
    np.testing.assert_array_equal(chosen.marked, labels == 4)
    assert chosen.notes == ("Of lesion.nii, the labels 4 count.",)
    with pytest.raises(ScanError, match=r"^lesion\.nii lacks the label 2; it has 1, 4\.$"):
        read(scan, labels, labels=[2, 4])


def test_an_empty_mask_is_a_truth(scan, lesion):
    truth = read(scan, 0 * lesion)
    assert not truth.marked.any()
    assert truth.notes == ("lesion.nii marks nothing, so recall and AP are undefined.",)


def test_a_picture_is_no_mask(scan):
    with pytest.raises(ScanError, match=r"different values up to .*, as a picture has; give a mask\.$"):
        read(scan, scan.data)
    with pytest.raises(ScanError, match="values below 0; give a mask, 0 outside of what it marks, or a label map"):
        read(scan, scan.data - 100)
