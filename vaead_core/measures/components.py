"""Connected parts of a map above a threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from vaead_core.scans.volume import Array


@dataclass(frozen=True)
class Cluster:
    """peak: its highest value, at voxel (i, j, k), which lies at peak_mm (R, A, S) of the scan's world."""

    volume_ml: float
    peak: float
    voxel: tuple[int, int, int]
    peak_mm: tuple[float, float, float]


def clusters(abnormality: Array, threshold: float, affine: Array, most: int = 20) -> list[Cluster]:
    """The `most` largest clusters of `abnormality` (I, J, K) above `threshold`, largest first.

    affine: (4, 4) voxel indices to world mm. Voxels that share a face are one cluster.

    >>> values = np.zeros((4, 4, 4))
    >>> values[0, 0, :2], values[3, 3, 3] = (5, 7), 6
    >>> [(one.peak, one.peak_mm, round(one.volume_ml, 3)) for one in clusters(values, 4, np.diag([10.0, 10, 10, 1]))]
    [(7.0, (0.0, 0.0, 10.0), 2.0), (6.0, (30.0, 30.0, 30.0), 1.0)]
    """
    return labelled_clusters(abnormality, threshold, affine, most)[1]


def labelled_clusters(abnormality: Array, threshold: float, affine: Array, most: int) -> tuple[Array, list[Cluster], int]:
    """(I, J, K) int, in which cluster n of the list is n, counted from 1, and what is in none of them 0; the clusters, as
    `clusters` has them; how many there are in all.

    >>> values = np.array([3.0, 0, 3, 3, 0, 3]).reshape(6, 1, 1)
    >>> labels, found, count = labelled_clusters(values, 2, np.eye(4), most=2)
    >>> labels.ravel().tolist(), len(found), count
    ([2, 0, 1, 1, 0, 0], 2, 3)
    """
    labels, count = ndimage.label(abnormality > threshold)
    if not count:
        return labels, [], 0
    sizes = np.bincount(labels.ravel())[1:]
    largest = np.argsort(-sizes, kind="stable")[:most] + 1
    voxel_ml = abs(np.linalg.det(affine[:3, :3])) / 1000
    boxes = ndimage.find_objects(labels)
    found = [_cluster(abnormality, labels, int(one), boxes[one - 1], float(sizes[one - 1] * voxel_ml), affine) for one in largest]
    numbers = np.zeros(count + 1, labels.dtype)
    numbers[largest] = np.arange(1, len(largest) + 1)
    return numbers[labels], found, count


def _cluster(abnormality: Array, labels: Array, label: int, box: tuple[slice, ...], volume_ml: float, affine: Array) -> Cluster:
    inside = np.where(labels[box] == label, abnormality[box], -np.inf)
    i, j, k = (int(at) + side.start for at, side in zip(np.unravel_index(inside.argmax(), inside.shape), box, strict=True))
    x, y, z = (affine @ [i, j, k, 1])[:3].tolist()
    return Cluster(volume_ml, float(inside.max()), (i, j, k), (x, y, z))
