"""What a scan holds, as a digest: equal for equal tissue in equal places, whatever the file and its name."""

from __future__ import annotations

import hashlib

import numpy as np

from vaead_core.scans.volume import Volume


def content(scan: Volume) -> bytes:
    """Digest of its tissue, its brain's mask and its affine.

    >>> scan = Volume(np.zeros((2, 2, 2), np.float32), np.eye(4), "one.nii")
    >>> moved = Volume(scan.data, np.diag([1.0, 1, 2, 1]), "two.nii")
    >>> content(scan) == content(Volume(scan.data, scan.affine, "two.nii")), content(scan) == content(moved)
    (True, False)
    """
    found = hashlib.blake2b(digest_size=16)
    for array in (scan.tissue, scan.mask, scan.affine):
        found.update(f"{array.dtype} {array.shape} ".encode())
        found.update(np.ascontiguousarray(array).data)
    return found.digest()
