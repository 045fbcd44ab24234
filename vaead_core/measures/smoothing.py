"""What is done to an anomaly map after its scorer."""

import numpy as np
from scipy import ndimage

from vaead_core.scans.volume import Array


def gaussian(maps: Array, mask: Array, deviation: float) -> Array:
    """(N, H, W) float32: each map smoothed by a Gaussian of `deviation` pixels within `mask`, 0 outside it.

    Normalised convolution (Knutsson & Westin 1993): what lies outside the brain has no weight, so that its rim keeps its
    level. A signed map is smoothed with its sign.
    """
    widths = (0, deviation, deviation)
    weight = ndimage.gaussian_filter(mask.astype(np.float32), widths)
    smooth = ndimage.gaussian_filter((maps * mask).astype(np.float32), widths)
    return np.where(mask, smooth / np.maximum(weight, 1e-6), 0).astype(np.float32)
