"""A picture of where the brain was found in a scan, for its owner to check."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from vaead_core.scans.geometry import AffineToAtlas
from vaead_core.scans.registration import atlas_grid, to_scan
from vaead_core.scans.slice_grid import atlas_brain
from vaead_core.scans.volume import Array, Volume

LINE = (125, 255, 176)
_PIXELS_A_MM = 1.5
_GAP = 6  # pixels between planes
_BRIGHTEST = 0.995  # quantile of the brain that is drawn white
_LETTERS = {0: None, 1: ("R", "L"), 2: ("R", "L")}  # by the axis that a plane is cut across


def outline_png(scan: Volume, brain: Array) -> bytes:
    """Axial, coronal and sagittal plane through the middle of `brain` (I, J, K) bool, its outline over the scan.

    Radiological: the patient's left is on the right; in the sagittal plane, front is on the left.
    """
    middle = [round(float(at.mean())) for at in np.nonzero(brain)]
    planes = [_plane(scan, brain, axis, middle[axis]) for axis in (2, 1, 0)]
    height, width = max(plane.height for plane in planes), sum(plane.width + _GAP for plane in planes) - _GAP
    picture, left = Image.new("RGB", (width, height)), 0
    for plane in planes:
        picture.paste(plane, (left, (height - plane.height) // 2))
        left += plane.width + _GAP
    content = io.BytesIO()
    picture.save(content, "PNG")
    return content.getvalue()


def placement_png(scan: Volume, placement: AffineToAtlas) -> bytes | None:
    """The outline of the atlas's brain over the scan, as `placement` lays it; None where it lies beside the scan."""
    brain = to_scan(atlas_brain(2).astype(np.float32), atlas_grid(2), placement, scan) > 0.5
    return outline_png(scan, brain) if brain.any() else None


def _plane(scan: Volume, brain: Array, axis: int, at: int) -> Image.Image:
    """One plane in grey, a pixel as long as it is wide, with the outline and letters."""
    low, top = float(scan.data.min()), float(np.quantile(scan.data[scan.mask], _BRIGHTEST))
    grey = np.clip((np.take(scan.data, at, axis) - low) / max(top - low, 1e-12), 0, 1)
    across, up = (length for other, length in enumerate(scan.spacing_mm) if other != axis)
    size = [max(1, round(count * mm * _PIXELS_A_MM)) for count, mm in zip(grey.shape, (across, up), strict=True)]
    picture = _upright(255 * grey).resize(size, Image.Resampling.BILINEAR)
    inside = np.asarray(_upright(255 * np.take(brain, at, axis)).resize(size, Image.Resampling.BILINEAR)) > 127
    coloured = np.repeat(np.asarray(picture)[..., None], 3, axis=2)
    coloured[inside & ~ndimage.binary_erosion(inside)] = LINE
    drawn = Image.fromarray(coloured)
    if letters := _LETTERS[axis]:
        pen = ImageDraw.Draw(drawn)
        pen.text((3, size[1] // 2), letters[0], "white")
        pen.text((size[0] - 9, size[1] // 2), letters[1], "white")
    return drawn


def _upright(plane: Array) -> Image.Image:
    """A plane in RAS+ order with what is up and in front up, and the right, or the front, on the left."""
    return Image.fromarray(np.ascontiguousarray(plane.T[::-1, ::-1]).astype(np.uint8))
