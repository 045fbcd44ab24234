"""What sets one healthy scan apart from another, and what a network knows little of: how the scan lies, its contrast, its noise.

The figures follow those that are usual for T1 scans (Esteban et al. 2017), on the atlas grid and by the atlas's labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import ndimage

from vaead_core.scans import atlas
from vaead_core.scans.standardisation import TISSUES, tissues_on
from vaead_core.scans.volume import Brain

MEASURES = {
    "similarity": "how well it lies on the atlas (similarity)",
    "contrast": "its contrast (where grey matter lies between fluid, 0, and white matter, 1)",
    "noise": "its noise or sharpness (fine differences in white matter, of the step to grey matter)",
    "unevenness": "the evenness of its white matter (its middle half, of the step to grey matter)",
}
"""Name → what the sentence of a scan that lies outside says of it."""


_MARGIN = 3  # widths of the range of one scan


def image_quality(brain: Brain) -> dict[str, float]:
    """The MEASURES of a brain, of which a lesion moves little: they are medians and quantiles.

    contrast is of the scan's own intensities, once their field is taken out; the rest are of what the network sees.
    """
    labels = tissues_on(int(brain.spacing_mm)) * brain.mask
    seen = np.array([np.median(brain.intensity[labels == tissue]) for tissue in TISSUES])
    fluid, grey, white = brain.scale.to_own(seen)
    step = max(float(seen[2] - seen[1]), 1e-6)
    inner = ndimage.binary_erosion(labels == atlas.WHITE)
    fine = (brain.intensity - ndimage.uniform_filter(brain.intensity, 3))[inner]
    low, high = np.quantile(brain.intensity[inner], [0.25, 0.75])
    found = {
        "similarity": brain.transform.similarity,
        "contrast": (grey - fluid) / max(float(white - fluid), 1e-6),
        "noise": 1.4826 * np.median(np.abs(fine)) / step,
        "unevenness": (high - low) / step,
    }
    return {name: round(float(found[name]), 4) for name in MEASURES}


def of_scans(each: Sequence[Mapping[str, float]]) -> dict[str, tuple[float, ...]]:
    """A measure → its values in several scans, rising and so of nobody; {} of none.

    >>> of_scans([dict.fromkeys(MEASURES, 0.5), dict.fromkeys(MEASURES, 0.4)])["noise"]
    (0.4, 0.5)
    """
    return {name: tuple(sorted(one[name] for one in each)) for name in MEASURES if each}


def outside(found: Mapping[str, float], known: Mapping[str, Sequence[float]]) -> list[str]:
    """What of a scan lies outside of what healthy scans showed, the farthest first, in words.

    known: a measure → its values in n healthy scans. It is outside by 3 / n of their range, as few scans show little of it.

    >>> outside({"contrast": 0.1, "noise": 0.1}, {"contrast": (0.4, 0.5, 0.6), "noise": (0.05, 0.2)})
    ['its contrast (where grey matter lies between fluid, 0, and white matter, 1) is 0.10, theirs 0.40 to 0.60']
    """
    beyond = {}
    for name, values in known.items():
        low, high = min(values), max(values)
        by = _widths(found[name], values)
        if by > _MARGIN / len(values):
            beyond[name] = (by, f"{MEASURES[name]} is {found[name]:.2f}, theirs {low:.2f} to {high:.2f}")
    return [said for _, said in sorted(beyond.values(), reverse=True)]


def distance(found: Mapping[str, float], known: Mapping[str, Sequence[float]]) -> float:
    """By how many widths of their range the farthest of a scan's figures lies outside of healthy scans'; 0 where all lie inside.

    >>> distance({"contrast": 0.3, "noise": 0.1}, {"contrast": (0.4, 0.6), "noise": (0.05, 0.2)})
    0.5
    """
    return max(0.0, *(round(_widths(found[name], values), 6) for name, values in known.items()))


def _widths(value: float, values: Sequence[float]) -> float:
    low, high = min(values), max(values)
    return max(low - value, value - high) / max(high - low, 1e-6)
