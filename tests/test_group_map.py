"""The mean map of one group less that of another, of derivatives that were made up: what differs, where, and on which side."""

import gzip
import io
import re

import nibabel as nib
import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from tests.support.atlas_maps import GRID, MIDDLE, RADIUS_MM, RIGHT_FRONT, SIZE, Made, head, place
from vaead_core.errors import InputError
from vaead_core.figures.atlas_mosaic import COLUMNS, ROWS, Colours, atlas_mosaic_png
from vaead_core.study.group import GroupTable
from vaead_core.study.group_map import group_difference


def difference(made: Made, **options):
    failed = {"scan": "none", "participant_id": "sub-none", "group": "patient", "state": "failed"}
    table = GroupTable({}, [*made.rows, failed], ("residual",), ("group",))
    return group_difference(made.results, table, "residual", "group", "patient", "control", **options)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Patients have 2 more in a ball on the right, in front; one of them has two scans, of which one has 4 more and one none."""
    made = Made(tmp_path_factory.mktemp("out"))
    made.scan("sub-p1", "patient", 1.0, 2.0, "LAS")
    made.scan("sub-p2_ses-1", "patient", 0.5, 4.0, "PSR")
    made.scan("sub-p2_ses-2", "patient", 1.5, 0.0, "RAS")
    made.scan("sub-p3", "patient", 1.0, 2.0, "RPI")
    made.scan("sub-c1", "control", 0.5, 0.0, "LPS")
    made.scan("sub-c2", "control", 1.0, 0.0)
    return made


@pytest.fixture(scope="module")
def found(made):
    return difference(made)


def test_a_difference_lies_where_and_on_which_side_it_was_put_and_has_its_size(found):
    at = place(GRID.affine, GRID.shape)
    away = np.linalg.norm(at - RIGHT_FRONT, axis=-1)
    assert found.people == (3, 2), "people, not scans"
    all_cover = ndimage.binary_erosion(found.covered, iterations=3)  # nearer to the edge only some people do
    inside, outside = all_cover & (away < RADIUS_MM - 4), all_cover & (away > RADIUS_MM + 4)
    assert inside.sum() > 100
    np.testing.assert_allclose(found.values[inside], 1.0 - 0.75 + 2.0, atol=0.02)
    np.testing.assert_allclose(found.values[outside], 1.0 - 0.75, atol=0.02)
    mirrored = RIGHT_FRONT * [-1, 1, 1] + [2 * MIDDLE[0], 0, 0]
    left = np.linalg.norm(at - mirrored, axis=-1) < RADIUS_MM - 4
    assert (left & all_cover).sum() > 100
    np.testing.assert_allclose(found.values[left & all_cover], 0.25, atol=0.02)


def test_no_edge_is_mixed_with_the_nothing_beside_it_and_what_is_not_covered_is_0(tmp_path):
    made = Made(tmp_path, 1)
    for number in range(2):
        made.scan(f"sub-p{number}", "patient", 1.0)
        made.scan(f"sub-c{number}", "control", 3.0)
    found = difference(made)
    assert not found.values[~found.covered].any()
    np.testing.assert_allclose(found.values[found.covered], -2, atol=0.01)
    brain = head(place(GRID.affine, GRID.shape), 1.0, 0.0) > 0
    assert (found.covered ^ brain).sum() < 0.06 * brain.sum()
    assert found.covered_ml == pytest.approx(brain.sum() * 0.008, rel=0.04)


def test_a_voxel_needs_half_of_the_brains_of_each_group(tmp_path):
    cut = Made(tmp_path, 3)
    for number in range(4):
        cut.scan(f"sub-p{number}", "patient", 1.0)
        cut.scan(f"sub-c{number}", "control", 2.0)
    for number in range(3):
        file = next(tmp_path.rglob(f"sub-c{number}_*statmap.nii.gz"))
        image = nib.Nifti1Image.from_bytes(gzip.decompress(file.read_bytes()))
        values = image.get_fdata(dtype=np.float32)
        values[:, :, SIZE // 2 :] = 0
        file.write_bytes(gzip.compress(nib.Nifti1Image(values, image.affine).to_bytes(), 1))
    covered = difference(cut).covered
    height = place(GRID.affine, GRID.shape)[..., 2]
    assert covered[height < MIDDLE[2] - 15].any()
    assert not covered[height > MIDDLE[2] + 25].any(), "one of four is no half"


def test_its_file_lies_in_sri24s_space(found):
    image = nib.Nifti1Image.from_bytes(gzip.decompress(found.nifti))
    np.testing.assert_allclose(image.affine, GRID.affine)
    np.testing.assert_array_equal(image.get_fdata(dtype=np.float32), found.values)
    peak = np.argwhere(found.values > 1.5).mean(0)
    np.testing.assert_allclose((image.affine @ [*peak, 1])[:3], RIGHT_FRONT, atol=1)
    assert image.header["xyzt_units"] & 7 == 2
    assert "not tested" in image.header["descrip"].item().decode()


def test_maps_are_read_one_after_the_other_through_what_bounds_them(made):
    read = []
    difference(made, content=lambda file: read.append(file.name) or made.results.content(file))
    assert len(read) == 6
    assert all(name.endswith("_statmap.nii.gz") for name in read)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        ("map", "sub-p1_space-T1w_desc-residual_statmap.nii.gz cannot be opened"),
        ("way", "sub-p1_from-T1w_to-SRI24_mode-image_xfm.txt is no way to the atlas that vaead wrote; run participant again."),
        ("group", "No scan of control has a map by this method; choose another group or method."),
    ],
)
def test_what_is_gone_or_damaged_is_one_sentence(tmp_path, damage, sentence):
    made = Made(tmp_path)
    made.scan("sub-p1", "patient", 1.0)
    if damage == "map":
        next(tmp_path.rglob("*.nii.gz")).unlink()
    elif damage == "way":
        way = next(tmp_path.rglob("*.txt"))
        way.write_text(re.sub("Parameters: [^ ]+ ", "Parameters: nan ", way.read_text(), count=1))
    with pytest.raises(InputError, match=re.escape(sentence)):
        difference(made)


def test_the_picture_has_red_where_the_first_group_is_higher_on_the_patients_side():
    values = np.zeros(GRID.shape, np.float32)
    at = place(GRID.affine, GRID.shape)
    values[np.linalg.norm(at - RIGHT_FRONT, axis=-1) < 20] = 2
    values[np.linalg.norm(at - MIDDLE - [-30, -25, 10], axis=-1) < 20] = -2
    covered = head(at, 1.0, 0.0) > 0
    content = atlas_mosaic_png(values, covered, GRID, Colours.of([(values, covered)], "SD of $healthy_brains", signed=True))
    picture = np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)
    height, width = picture.shape[0] * 0.9 / ROWS, picture.shape[1] / COLUMNS  # the colour bar lies below
    tile = picture[round(height) : round(2 * height), round(3 * width) : round(4 * width)]
    red, blue = (np.argwhere(tile[..., one] - tile[..., other] > 60) for one, other in ((0, 2), (2, 0)))
    assert min(len(red), len(blue)) > 50
    assert red.mean(0)[1] < 0.5 * width < blue.mean(0)[1], "the patient's right is on the left"
    assert red.mean(0)[0] < blue.mean(0)[0], "front is up"
