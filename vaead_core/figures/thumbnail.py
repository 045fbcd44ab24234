"""A small picture of a map over its scan, for a row of a table."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image
from scipy import ndimage

from vaead_core.scans.volume import Array

SLABS = 5
_HEIGHT = 80  # pixels
_INFERNO = np.array([(0, 0, 4), (87, 16, 110), (188, 55, 84), (249, 142, 9), (252, 255, 164)], float)
_COLOURS = 64


def thumbnail_png(scan: Array, values: Array, threshold: float, full: float, spacing_mm: Array) -> bytes:
    """SLABS axial slices side by side, feet to head: of each slab of the brain that in which the most is marked, so that no
    lesion of some size hides between them.

    scan: (I, J, K), RAS+. values: (I, J, K) abnormality on its grid, 0 outside the brain, drawn above `threshold`, in full colour
    from `full` on. Radiological: the patient's left is on the right.
    """
    box = (ndimage.find_objects((values != 0).astype(np.uint8)) or [tuple(slice(0, size) for size in values.shape)])[0]
    scan, values = scan[box], values[box]
    inside = scan[values != 0]
    low, top = np.quantile(inside, [0.01, 0.99]) if inside.size else (0.0, 1.0)
    step = max(1, values.shape[1] // _HEIGHT)
    width_mm, height_mm = values.shape[0] * spacing_mm[0], values.shape[1] * spacing_mm[1]
    size = max(1, round(_HEIGHT * width_mm / height_mm)), _HEIGHT
    slabs = [slab for slab in np.array_split(np.arange(values.shape[2]), SLABS) if len(slab)]
    picture = Image.new("RGB", (size[0] * len(slabs), _HEIGHT))
    for at, slab in enumerate(slabs):
        marked = (values[:, :, slab] > threshold).sum(axis=(0, 1))
        k = slab[int(marked.argmax())] if marked.any() else slab[len(slab) // 2]
        grey = np.clip((scan[:, :, k] - low) / max(top - low, 1e-12), 0, 1)
        high = ndimage.maximum_filter(values[:, :, k], step)
        drawn = _over(ndimage.uniform_filter(grey, step)[::step, ::step], high[::step, ::step], threshold, full)
        picture.paste(Image.fromarray(drawn).resize(size, Image.Resampling.BILINEAR), (size[0] * at, 0))
    content = io.BytesIO()
    picture.quantize(_COLOURS).save(content, "PNG")
    return content.getvalue()


def _over(grey: Array, values: Array, threshold: float, full: float) -> Array:
    """(J, I, 3) uint8: front up, the patient's right on the left."""
    share = np.clip(values / max(full, 1e-12), 0, 1) * (len(_INFERNO) - 1)
    steps = np.arange(len(_INFERNO))
    colours = np.stack([np.interp(share, steps, _INFERNO[:, channel]) for channel in range(3)], axis=-1)
    over = np.where((values > threshold)[..., None], colours, 255 * grey[..., None])
    return np.ascontiguousarray(over.transpose(1, 0, 2)[::-1, ::-1]).astype(np.uint8)
