"""`python -m benchmarks.first_map SCAN`: seconds from a file's bytes to its first map on its own grid, model loaded."""

import sys
import time
from pathlib import Path

from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.pipeline import scoring
from vaead_core.scans import atlas
from vaead_core.scans.nifti import read_nifti


def main(path: Path) -> None:
    """Prints the seconds of each stage and their sum."""
    checkpoint = Checkpoint.load("checkpoints/brain-slices-2mm")
    atlas.t1()
    content = path.read_bytes()
    times = [time.perf_counter()]
    scan = read_nifti(content, path.name)
    times.append(time.perf_counter())
    prepared = scoring.prepare(scan, checkpoint)
    times.append(time.perf_counter())
    result = scoring.score(prepared, checkpoint, "normalised_residual")
    times.append(time.perf_counter())
    scoring.native_map(prepared, checkpoint, result.map_values)
    times.append(time.perf_counter())
    stages = ("read", "register and preprocess", "score", "back to the scan's grid")
    for stage, start, end in zip(stages, times, times[1:], strict=False):
        print(f"{stage:26} {end - start:.2f} s")
    print(f"{'x'.join(map(str, scan.data.shape))} scan to first map: {times[-1] - times[0]:.2f} s")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
