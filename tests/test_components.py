import numpy as np
import pytest

from vaead_core.measures.components import clusters

AFFINE = np.array([[2, 0, 0, -10], [0, 3, 0, 5], [0, 0, 4, 1], [0, 0, 0, 1]], float)


@pytest.fixture
def blocks():
    """A block of eight voxels with its peak in a corner, and a single higher voxel."""
    values = np.zeros((8, 8, 8), np.float32)
    values[1:3, 1:3, 1:3] = 2
    values[2, 2, 2] = 3
    values[6, 6, 6] = 9
    return values


def test_clusters_come_largest_first_with_volume_and_peak(blocks):
    large, small = clusters(blocks, 1.0, AFFINE)
    assert (large.volume_ml, large.peak, large.voxel) == (pytest.approx(0.192), 3, (2, 2, 2))
    assert (small.volume_ml, small.peak, small.voxel) == (pytest.approx(0.024), 9, (6, 6, 6))


def test_a_peak_in_mm_is_where_the_affine_puts_its_voxel(blocks):
    assert clusters(blocks, 1.0, AFFINE)[0].peak_mm == (-6, 11, 9)


def test_only_voxels_above_the_threshold_belong_to_a_cluster(blocks):
    assert [one.volume_ml for one in clusters(blocks, 2.0, AFFINE)] == pytest.approx([0.024, 0.024])
    assert clusters(blocks, 9.0, AFFINE) == []


def test_voxels_that_share_only_an_edge_are_two_clusters():
    values = np.zeros((4, 4, 4), np.float32)
    values[1, 1, 1] = values[2, 2, 1] = 1
    assert len(clusters(values, 0.5, AFFINE)) == 2


def test_no_more_than_asked_for_are_listed():
    values = np.zeros((20, 3, 3), np.float32)
    values[::2, 1, 1] = np.arange(1, 11)
    assert len(clusters(values, 0.5, AFFINE, most=4)) == 4
