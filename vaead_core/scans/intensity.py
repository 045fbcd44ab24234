"""The way between a scan's own intensities and the network's."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class IntensityScale:
    """A piecewise linear way between a scan's own intensities and the network's, on beyond its ends.

    own, network: (n,) rising, n of 2 or more: values that belong together.

    >>> scale = IntensityScale((100, 200, 400), (-0.5, 0, 0.25))
    >>> scale.to_network(np.array([0, 150, 800])).tolist(), scale.to_own(np.array([-1, -0.25, 0.75])).tolist()
    ([-1.0, -0.25, 0.75], [0.0, 150.0, 800.0])
    """

    own: tuple[float, ...]
    network: tuple[float, ...]

    def to_network(self, values: Array) -> Array:
        """Values of the scan, any shape, as the network sees them, not clipped."""
        return _along(values, self.own, self.network)

    def to_own(self, values: Array) -> Array:
        """The network's values, any shape, in the scan's own intensities."""
        return _along(values, self.network, self.own)

    def moved(self, by: float) -> IntensityScale:
        """The same for a scan whose values are all larger `by` so much."""
        return replace(self, own=tuple(value + by for value in self.own))


def _along(values: Array, given: tuple[float, ...], wanted: tuple[float, ...]) -> Array:
    """np.interp, its first and last step going on beyond the ends."""
    x, y = np.array(given, np.float64), np.array(wanted, np.float64)
    found = np.interp(values, x, y)
    found += np.minimum(np.asarray(values) - x[0], 0) * (y[1] - y[0]) / (x[1] - x[0])
    return found + np.maximum(np.asarray(values) - x[-1], 0) * (y[-1] - y[-2]) / (x[-1] - x[-2])
