"""The way from a scan to the atlas as a file that ITK, ANTs, 3D Slicer and SimpleITK read."""

from __future__ import annotations

import numpy as np

from vaead_core.scans.geometry import AffineToAtlas

_LPS = np.diag([-1.0, -1, 1, 1])  # ITK's world beside RAS


def itk_text(to_atlas: AffineToAtlas) -> str:
    """An Insight transform by which an image of the scan is resampled onto the atlas.

    As ITK has it, it takes points the other way: from the atlas's world to the scan's, both LPS, in mm.

    >>> shifted = np.eye(4)
    >>> shifted[0, 3] = 5  # the scan's world lies 5 mm to the left of the atlas's
    >>> print(itk_text(AffineToAtlas(shifted)).splitlines()[3])
    Parameters: 1.0 0.0 0.0 0.0 1.0 0.0 0.0 0.0 1.0 5.0 0.0 0.0
    """
    matrix = _LPS @ np.linalg.inv(to_atlas.matrix) @ _LPS
    numbers = [*matrix[:3, :3].ravel().tolist(), *matrix[:3, 3].tolist()]
    parameters = " ".join(repr(number + 0.0) for number in numbers)
    return (
        "#Insight Transform File V1.0\n#Transform 0\nTransform: AffineTransform_double_3_3\n"
        f"Parameters: {parameters}\nFixedParameters: 0 0 0\n"
    )
