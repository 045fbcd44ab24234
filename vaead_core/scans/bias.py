"""The receiver's slow brightening and darkening, taken out of a scan by N4 (Tustison et al. 2010)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import SimpleITK as sitk

from vaead_core.errors import ScanError, refusing
from vaead_core.scans.registration.resampling import image
from vaead_core.scans.volume import Array, Volume

NOTE = "N4 took the bias field out first; compare with healthy brains of which it was taken out too."
_COARSE_MM = 6.0  # the field is smooth over centimetres, so it is found on voxels of about this size
_ITERATIONS = (20, 20, 20)  # at most, on three spline grids, each twice as fine; a fourth would follow anatomy
_SPLINE_ORDER = 3
_LEAST = 1e-3  # of the brain's median: N4 takes logarithms


def bias_corrected(scan: Volume) -> Volume:
    """The scan divided by the smooth field that N4 finds in its brain, of mean 1 there; nothing changes outside.

    The same wherever as many cores are at hand; ITK's spline sums by thread, so that another number moves the seventh digit.
    Raises ScanError where N4 finds none.

    >>> from vaead_core.scans import atlas
    >>> even = atlas.t1()
    >>> bias_corrected(even).data.shape == even.data.shape
    True
    """
    field = bias_field(scan)
    even = np.where(scan.mask, scan.floor + scan.tissue / field, scan.data).astype(np.float32)
    return replace(scan, data=even, notes=(*scan.notes, NOTE))


def bias_field(scan: Volume, fitted: Array | None = None) -> Array:
    """(I, J, K) float32, of mean 1 in the brain and 1 around it: how much brighter the receiver makes each place.

    fitted: (I, J, K) bool, the part of the brain that the field follows; all of it for None. Raises ScanError.
    """
    none = ScanError(f"No bias field could be found in {scan.name}; leave its correction out.")
    tissue, mask = scan.tissue[scan.box], scan.mask[scan.box]
    followed = mask if fitted is None else mask & fitted[scan.box]
    least = np.float32(_LEAST * np.median(tissue[mask])) if mask.any() else np.float32(0)
    if least <= 0:
        raise none
    whole = image(np.maximum(tissue, least), scan.affine)  # without its corner's place, which N4 does not ask for
    shrink = [max(1, round(_COARSE_MM / length)) for length in whole.GetSpacing()]
    n4 = sitk.N4BiasFieldCorrectionImageFilter()
    n4.SetMaximumNumberOfIterations(list(_ITERATIONS))
    n4.SetSplineOrder(_SPLINE_ORDER)
    n4.SetNumberOfWorkUnits(1)
    with refusing(none, RuntimeError):
        n4.Execute(sitk.Shrink(whole, shrink), sitk.Shrink(image(followed.astype(np.uint8), scan.affine), shrink))
        found = np.exp(sitk.GetArrayFromImage(n4.GetLogBiasFieldAsImage(whole)).transpose(2, 1, 0))
    field = np.ones(scan.data.shape, np.float32)
    field[scan.box] = found / found[mask].mean()
    return field
