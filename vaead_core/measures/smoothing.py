"""What is done to an anomaly map after its scorer."""

import numpy as np
from scipy import ndimage

from vaead_core.scans.volume import Array


def gaussian(maps: Array, mask: Array, deviation: float) -> Array:
    """(N, H, W) float32: each map smoothed by a Gaussian of `deviation` pixels within `mask`, 0 outside it.

    Normalised convolution (Knutsson & Westin 1993): what lies outside the brain has no weight, so that its rim keeps its
    level. A signed map is smoothed with its sign.

    >>> spot, everywhere = np.array([[[0, 0, 1, 0, 0]]]), np.ones((1, 1, 5), bool)
    >>> gaussian(spot, everywhere, 1.0).astype(float).round(2).tolist()
    [[[0.06, 0.24, 0.4, 0.24, 0.06]]]
    >>> gaussian(np.full((1, 1, 5), 3.0), spot == 1, 1.0).round(3).tolist()  # a level stays up to the rim
    [[[0.0, 0.0, 3.0, 0.0, 0.0]]]
    """
    widths = (0, deviation, deviation)
    weight = ndimage.gaussian_filter(mask.astype(np.float32), widths)
    smooth = ndimage.gaussian_filter((maps * mask).astype(np.float32), widths)
    return np.where(mask, smooth / np.maximum(weight, 1e-6), 0).astype(np.float32)
