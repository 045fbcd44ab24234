"""Connected parts of a map above a threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from vaead_core.scans.volume import Array

MOST = 20  # of a map that a reader is shown


@dataclass(frozen=True)
class Cluster:
    """peak: its highest value, at voxel (i, j, k), which lies at peak_mm (R, A, S) of the scan's world."""

    volume_ml: float
    peak: float
    voxel: tuple[int, int, int]
    peak_mm: tuple[float, float, float]


def clusters(abnormality: Array, threshold: float, affine: Array, most: int = MOST) -> list[Cluster]:
    """The `most` largest clusters of `abnormality` (I, J, K) above `threshold`, largest first.

    affine: (4, 4) voxel indices to world mm. Voxels that share a face are one cluster.

    >>> values = np.zeros((4, 4, 4))
    >>> values[0, 0, :2], values[3, 3, 3] = (5, 7), 6
    >>> [(one.peak, one.peak_mm, round(one.volume_ml, 3)) for one in clusters(values, 4, np.diag([10.0, 10, 10, 1]))]
    [(7.0, (0.0, 0.0, 10.0), 2.0), (6.0, (30.0, 30.0, 30.0), 1.0)]
    """
    labels, largest, _ = _largest(abnormality, threshold, most)
    return _clusters(abnormality, labels, largest, affine)


def labelled_clusters(abnormality: Array, threshold: float, affine: Array, most: int) -> tuple[Array, list[Cluster], int]:
    """(I, J, K) int, in which cluster n of the list is n, counted from 1, and what is in none of them 0; the clusters, as
    `clusters` has them; how many there are in all.

    >>> values = np.array([3.0, 0, 3, 3, 0, 3]).reshape(6, 1, 1)
    >>> labels, found, count = labelled_clusters(values, 2, np.eye(4), most=2)
    >>> labels.ravel().tolist(), len(found), count
    ([2, 0, 1, 1, 0, 0], 2, 3)
    """
    labels, largest, count = _largest(abnormality, threshold, most)
    numbers = np.zeros(count + 1, labels.dtype)
    numbers[largest] = np.arange(1, len(largest) + 1)
    return numbers[labels], _clusters(abnormality, labels, largest, affine), count


def _largest(abnormality: Array, threshold: float, most: int) -> tuple[Array, Array, int]:
    """(I, J, K) int labels as they are found, those of the `most` largest by falling size, and how many there are in all."""
    labels, count = ndimage.label(abnormality > threshold)
    return labels, np.argsort(-np.bincount(labels.ravel(), minlength=1)[1:], kind="stable")[:most] + 1, count


def _clusters(abnormality: Array, labels: Array, largest: Array, affine: Array) -> list[Cluster]:
    boxes, voxel_ml = ndimage.find_objects(labels), abs(np.linalg.det(affine[:3, :3])) / 1000
    return [_cluster(abnormality, labels, int(one), boxes[one - 1], voxel_ml, affine) for one in largest]


def _cluster(abnormality: Array, labels: Array, label: int, box: tuple[slice, ...], voxel_ml: float, affine: Array) -> Cluster:
    own = labels[box] == label
    inside = np.where(own, abnormality[box], -np.inf)
    i, j, k = (int(at) + side.start for at, side in zip(np.unravel_index(inside.argmax(), inside.shape), box, strict=True))
    x, y, z = (affine @ [i, j, k, 1])[:3].tolist()
    return Cluster(float(own.sum() * voxel_ml), float(inside.max()), (i, j, k), (x, y, z))
