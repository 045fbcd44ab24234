"""Skull stripping with deepbet (Fisch et al. 2024), an optional extra."""

from __future__ import annotations

import warnings

import nibabel as nib
import numpy as np

from vaead_core.errors import InputError, ScanError
from vaead_core.scans.volume import Volume


def strip(scan: Volume) -> Volume:
    """The scan with everything outside the brain set to 0, on the same grid.

    Raises InputError when deepbet is not installed, ScanError when it finds no brain.
    """
    try:
        from deepbet.bet import BrainExtraction
    except ImportError as error:
        raise InputError("Stripping needs deepbet; install it with: pip install deepbet.") from error
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit", DeprecationWarning)
        network = BrainExtraction(no_gpu=True)
        try:
            _, mask, _ = network.run(nib.Nifti1Image(scan.data, scan.affine))
        except (AssertionError, ValueError) as error:  # how deepbet says that nothing is left after a step
            raise ScanError(f"No brain was found in {scan.name}; give a T1 scan of a whole head.") from error
    return Volume(scan.data * (np.asarray(mask.dataobj) > 0), scan.affine, scan.name, scan.native)
