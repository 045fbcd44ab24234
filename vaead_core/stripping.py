"""Skull stripping with deepbet (Fisch et al. 2024), an optional extra."""

from __future__ import annotations

import tempfile
from pathlib import Path

import nibabel as nib

from vaead_core.errors import InputError
from vaead_core.nifti import read_nifti
from vaead_core.volume import Volume


def strip(scan: Volume) -> Volume:
    """The scan with everything outside the brain set to 0. Raises InputError when deepbet is not installed."""
    try:
        from deepbet import run_bet
    except ImportError as error:
        raise InputError("Stripping needs deepbet; install it with: pip install -r requirements-strip.txt.") from error
    with tempfile.TemporaryDirectory() as folder:
        source, mask = Path(folder) / "scan.nii.gz", Path(folder) / "mask.nii.gz"
        nib.save(nib.Nifti1Image(scan.data, scan.affine), source)
        run_bet([str(source)], mask_paths=[str(mask)], no_gpu=True)
        inside = read_nifti(mask).data > 0
    return Volume(scan.data * inside, scan.affine, scan.name, scan.native)
