"""What the units of maps and scores mean, a sentence each, for readers who train no networks."""

from collections.abc import Iterable

_NAT = "a unit of information, as bits are (1 nat is 1.44 bits)"
UNITS = {
    "(1 − SSIM) / 2": "0 where two pictures have the same structure, 1 where they have the opposite one.",
    "1 − SSIM": "0 where two pictures have the same structure (structural similarity, SSIM, is 1), more where they differ.",
    "1 − contrast": "0 where two pictures have as much texture, near 1 where one has far more.",
    "Mahalanobis distance": "how far from the healthy mean, in standard deviations that count once what varies together.",
    "activation": "how strongly the network's encoder responds; its size has no meaning outside this network.",
    "certainty": "how sure a network is that a voxel is abnormal, from 0 to 1; it is no probability of disease.",
    "distance in feature deviations": "how unlike the nearest healthy patch, in standard deviations of what the network sees.",
    "healthy deviations": "how far from the mean of healthy brains, in their standard deviations.",
    "intensity": "brightness as the network gets it, at most checkpoints in standard deviations of the brain's.",
    "nats": f"{_NAT}; the more of them, the less a healthy brain was expected to look so.",
    "nats per intensity": f"how fast the network's surprise rises with a pixel's brightness; a nat is {_NAT}.",
    "rank distance from the median": "0 for a pixel of middle brightness, ½ for the darkest and the brightest.",
    "rarity (−log₁₀)": "1 where one in 10 healthy voxels is as high, 2 where one in 100 is, 3 where one in 1000 is.",
    "squared intensity": "the square of a difference in brightness, as the network gets that.",
}


def units_help(units: Iterable[str]) -> str:
    """What each of them means, once each.

    >>> units_help(["squared intensity", "squared intensity", "unknown"])
    'In squared intensity: the square of a difference in brightness, as the network gets that.'
    """
    return " ".join(f"In {unit}: {UNITS[unit]}" for unit in dict.fromkeys(units) if unit in UNITS)
