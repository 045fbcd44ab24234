"""Pictures of slices and maps as RGB arrays, with the sides marked."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from plotly.colors import sample_colorscale
from scipy import ndimage

from vaead_core.calibration import ScorerCalibration
from vaead_core.volume import Array

ZOOM = 4
SURPRISE_TOP = 3.0
_GLYPHS = {"L": ("1000", "1000", "1000", "1000", "1111"), "R": ("1110", "1001", "1110", "1010", "1001")}


def surprise(maps: Array, mask: Array, healthy: ScorerCalibration) -> Array:
    """−log10 of the share of healthy brain voxels that score at least as high: 1 is 1 in 10, 3 is 1 in 1000 or fewer.

    One scale for every scorer, whatever its unit; 0 outside the brain. |map| counts for signed ones.
    """
    above = 1 - np.searchsorted(healthy.pixels, np.abs(maps), "right") / len(healthy.pixels)
    return (-np.log10(np.maximum(above, 10**-SURPRISE_TOP)) * mask).astype(np.float32)


def slice_picture(pixels: Array, mask: Array, radiological: bool) -> Array:
    """(H, W) rows along j, columns along i → (4H, 4W, 3) uint8, anterior up, sides marked, black outside the brain."""
    return _finished(_grey(pixels, mask, radiological), radiological)


def overlay_picture(pixels: Array, mask: Array, values: Array, threshold: float, radiological: bool) -> Array:
    """The slice with `values` (H, W, 0 to SURPRISE_TOP) above `threshold` in colour; same frame as `slice_picture`."""
    picture = _grey(pixels, mask, radiological)
    shown = np.repeat(np.repeat(_oriented(values, radiological), ZOOM, 0), ZOOM, 1)
    colours = colour_table()[np.clip(shown / SURPRISE_TOP * 255, 0, 255).astype(int)]
    picture = np.where((shown > threshold)[..., None], colours, picture)
    return _finished(picture, radiological)


def colour_bar(threshold: float, width: int = 600, height: int = 18) -> Array:
    """(height, width, 3) uint8: the colours from 0 to SURPRISE_TOP, grey below the threshold, which a white line marks."""
    at = np.linspace(0, SURPRISE_TOP, width)
    bar = np.where((at > threshold)[:, None], colour_table()[(at / SURPRISE_TOP * 255).astype(int)], 60)
    bar[np.abs(at - threshold) < 1.5 * SURPRISE_TOP / width] = 255
    return np.repeat(bar[None], height, axis=0).astype(np.uint8)


@lru_cache(maxsize=1)
def colour_table() -> Array:
    """(256, 3) uint8 of Inferno: ordered in lightness, readable without colour vision."""
    colours = sample_colorscale("Inferno", np.linspace(0.15, 1, 256).tolist(), colortype="tuple")
    return (255 * np.array(colours)).astype(np.uint8)


def _oriented(image: Array, radiological: bool) -> Array:
    """Anterior up; columns run left to right of the patient, or right to left in the radiological view."""
    upright = image[::-1]
    return upright[:, ::-1] if radiological else upright


def _grey(pixels: Array, mask: Array, radiological: bool) -> Array:
    grey = _oriented(np.where(mask, np.clip((pixels + 1) * 127.5, 0, 255), 0), radiological)
    return np.repeat(ndimage.zoom(grey, ZOOM, order=1, grid_mode=True, mode="nearest")[..., None], 3, axis=2)


def _finished(picture: Array, radiological: bool) -> Array:
    picture = picture.astype(np.uint8)
    left, right = ("R", "L") if radiological else ("L", "R")
    middle = picture.shape[0] // 2
    for letter, column in ((left, 6), (right, picture.shape[1] - 18)):
        glyph = np.kron(np.array([[int(bit) for bit in row] for row in _GLYPHS[letter]]), np.ones((3, 3), int)) > 0
        picture[middle : middle + 15, column : column + 12][glyph] = 230
    return picture
