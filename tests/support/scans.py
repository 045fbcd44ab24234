"""Scans for tests: turned, as files, and those of people where a machine has them."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from vaead_core.cohorts.locations import find_data
from vaead_core.scans.volume import Volume


def development_data(name: str) -> Path:
    folder = find_data(name)
    if folder is None:
        pytest.skip(f"no development data: {name} is neither below $VAEAD_DATA nor below ../shared/data")
    return folder


def scan_file(volume: Volume, gain: float = 1.0) -> bytes:
    """The volume as a .nii, brighter by `gain`: another scan for each."""
    return nib.Nifti1Image(volume.data * np.float32(gain), volume.affine).to_bytes()


def reoriented(volume: Volume, codes: str, turn_degrees: float = 0) -> nib.Nifti1Image:
    """The volume stored in another axis order, its world turned about the left-right axis."""
    angle = np.deg2rad(turn_degrees)
    turn = np.eye(4)
    turn[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    image = nib.Nifti1Image(volume.data, turn @ volume.affine)
    wanted = nib.orientations.axcodes2ornt(codes)
    return image.as_reoriented(nib.orientations.ornt_transform(nib.orientations.axcodes2ornt("RAS"), wanted))
