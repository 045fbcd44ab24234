"""The way from a scan to the atlas as a file that ITK, ANTs, 3D Slicer and SimpleITK read, out and in."""

from __future__ import annotations

import numpy as np

from vaead_core.errors import ScanError
from vaead_core.scans.geometry import AffineToAtlas

_KIND = "Transform: AffineTransform_double_3_3"
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
    return f"#Insight Transform File V1.0\n#Transform 0\n{_KIND}\nParameters: {parameters}\nFixedParameters: 0 0 0\n"


def from_itk_text(text: str, name: str) -> AffineToAtlas:
    """What `itk_text` wrote. Raises ScanError for another file.

    >>> turned = AffineToAtlas(np.array([[0.0, -1, 0, 3], [1, 0, 0, -8], [0, 0, 1, 5], [0, 0, 0, 1]]))
    >>> bool(np.allclose(from_itk_text(itk_text(turned), "xfm.txt").matrix, turned.matrix))
    True
    """
    lines = [line.strip() for line in text.splitlines()]
    said = dict(line.split(": ", 1) for line in lines if ": " in line)
    try:
        numbers, centre = (np.array(said[what].split(), float) for what in ("Parameters", "FixedParameters"))
        matrix = np.vstack([np.column_stack([numbers[:9].reshape(3, 3), numbers[9:]]), [0, 0, 0, 1]])
        found = _LPS @ np.linalg.inv(matrix) @ _LPS
    except (KeyError, ValueError, np.linalg.LinAlgError):
        found = np.full((4, 4), np.nan)
    if lines.count(_KIND) != 1 or not np.isfinite(found).all() or centre.any():
        raise ScanError(f"{name} is no way to the atlas that vaead wrote; run participant again.")
    return AffineToAtlas(found)
