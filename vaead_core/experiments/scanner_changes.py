"""What another scanner would make of a brain, roughly: one change at a time, of a scan whose brain is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from nibabel.affines import apply_affine, from_matvec
from scipy import ndimage
from scipy.spatial.transform import Rotation

from vaead_core.scans.volume import Array, Volume

AS_IT_IS = "as it is"
_BRIGHT = 0.995  # quantile of the brain's values that keeps its value when the curve is bent


def changed(scan: Volume, change: str) -> Volume:
    """`scan` after a change of CHANGES; what lies outside its brain becomes 0.

    >>> from vaead_core.scans import atlas
    >>> changed(atlas.t1(), AS_IT_IS) is atlas.t1(), changed(atlas.t1(), "blur 3 mm").data.shape
    (True, (240, 240, 155))
    """
    return CHANGES[change](scan)


def _bent(gamma: float) -> Callable[[Volume], Volume]:
    def bend(scan: Volume) -> Volume:
        bright = np.quantile(scan.tissue[scan.mask], _BRIGHT)
        return _with(scan, bright * (np.maximum(scan.tissue, 0) / bright) ** gamma)

    return bend


def _shaded(scan: Volume) -> Volume:
    """A receiver's field whose largest value in the brain is some 60 % above its least."""
    sides = zip(scan.data.shape, scan.box, strict=True)
    x, y, z = ((np.arange(size) - side.start) / (side.stop - side.start) - 0.5 for size, side in sides)
    return _with(scan, scan.tissue * np.exp(np.add.outer(np.add.outer(0.25 * x, 0.25 * y), -0.3 * z**2 - 0.15 * z)))


def _noisy(scan: Volume) -> Volume:
    """Rician noise of a standard deviation of 5 % of the brain's mean (Gudbjartsson and Patz 1995)."""
    rng, deviation = np.random.default_rng(0), 0.05 * float(scan.tissue[scan.mask].mean())
    real, imaginary = rng.normal(0, deviation, (2, *scan.data.shape))
    return _with(scan, np.hypot(scan.tissue + real, imaginary))


def _blurred(scan: Volume) -> Volume:
    """By a Gaussian of 3 mm full width at half maximum, within the brain."""
    width = 3 / 2.355 / scan.spacing_mm
    share = np.maximum(ndimage.gaussian_filter(scan.mask.astype(np.float32), width), 1e-6)
    return _with(scan, ndimage.gaussian_filter(scan.tissue, width) / share)


def _turned(scan: Volume) -> Volume:
    """By 12° about an oblique axis through the brain's centre."""
    turn = Rotation.from_rotvec(np.array([1, 0.5, 0.7]) / np.linalg.norm([1, 0.5, 0.7]) * 12, degrees=True).as_matrix()
    centre = apply_affine(scan.affine, np.argwhere(scan.mask).mean(0))
    return replace(scan, affine=from_matvec(turn, centre - turn @ centre) @ scan.affine)


def _with(scan: Volume, tissue: Array) -> Volume:
    return replace(scan, data=np.where(scan.mask, tissue, 0).astype(np.float32), brain=scan.mask)


CHANGES: dict[str, Callable[[Volume], Volume]] = {
    AS_IT_IS: lambda scan: scan,
    "gamma 0.7": _bent(0.7),
    "gamma 1.4": _bent(1.4),
    "field of 60 %": _shaded,
    "noise of 5 %": _noisy,
    "blur 3 mm": _blurred,
    "turned by 12°": _turned,
}
