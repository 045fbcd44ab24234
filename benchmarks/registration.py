"""`python -m benchmarks.registration [FOLDER]`: overlap of registered brain masks with SRI24's, and seconds a scan."""

import sys
import time
from pathlib import Path

import numpy as np

from vaead_core.cohorts.locations import find_data
from vaead_core.cohorts.nifti_folder import nifti_files
from vaead_core.scans import atlas
from vaead_core.scans.geometry import AffineToAtlas
from vaead_core.scans.nifti import read_nifti
from vaead_core.scans.registration import atlas_grid, register, to_atlas


def main(folder: Path) -> None:
    """Prints a line a scan, then mean and minimum Dice on the 2 mm grid."""
    grid, full = atlas_grid(2), atlas.t1()
    target = to_atlas(atlas.brain_mask().astype(np.float32), full, AffineToAtlas(np.eye(4)), grid) > 0.5
    overlaps, seconds = [], []
    for path in nifti_files(folder):
        start = time.perf_counter()
        scan = read_nifti(path)
        mask = to_atlas((scan.data != 0).astype(np.float32), scan, register(scan), grid) > 0.5
        seconds.append(time.perf_counter() - start)
        overlaps.append(2 * (mask & target).sum() / (mask.sum() + target.sum()))
        print(f"{path.name:32} Dice {overlaps[-1]:.4f}  {seconds[-1]:.2f} s")
    print(f"{len(overlaps)} scans: Dice mean {np.mean(overlaps):.4f}, minimum {np.min(overlaps):.4f}")
    print(f"seconds a scan: median {np.median(seconds):.2f}, maximum {np.max(seconds):.2f}")


if __name__ == "__main__":
    given = Path(sys.argv[1]) if len(sys.argv) > 1 else find_data("ixi")
    if given is None or not nifti_files(given):
        sys.exit("Give a folder of NIfTI scans.")
    main(given)
