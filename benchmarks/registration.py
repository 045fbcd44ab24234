"""`python -m benchmarks.registration`: healthy brains laid in known ways, and by how much each is found off.

The ways: the 24 turns of a cube, ten turns by up to 45° about random axes with shifts to 60 mm, four sizes from 0.85 to
1.15 with small turns, and the top or bottom fourth missing. The error is the mean distance, in mm of the atlas over what
there is of the brain, between where its tissue is put and where the untouched scan's is. Rows go to results/registration.csv
as they are measured; what stands there already is not measured again.
"""

import argparse
import csv
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path

import joblib
import numpy as np
from scipy.spatial.transform import Rotation

from tests.support.poses import about_its_centre, error_mm, without
from vaead_core.cohorts.locations import find_data
from vaead_core.cohorts.nifti_folder import nifti_files
from vaead_core.errors import ScanError
from vaead_core.scans.nifti import read_nifti
from vaead_core.scans.preprocessing import Preprocessor
from vaead_core.scans.registration import register
from vaead_core.scans.volume import Array, Volume

RECORD = Path(__file__).resolve().parents[1] / "results" / "registration.csv"
SIZES = (0.85, 0.95, 1.05, 1.15)
MARKS_MM = (1.5, 3.0, 6.0)  # mean, 95 %, and most of what is accepted without a word


@dataclass(frozen=True)
class Row:
    """One pose of one brain. outcome: `silent`, `warned` or `refused`; a refused one has no error."""

    scan: str
    pose: str
    outcome: str
    error_mm: float | None
    similarity: float | None
    covered_share: float | None
    seconds: float


def poses(scan: Volume, seed: int) -> Iterator[tuple[str, Volume, Array]]:
    """(name, scan, pose): `scan` or a part of it, and the (4, 4) by which its world is changed."""
    rng = np.random.default_rng(seed)
    for index, turn in enumerate(Rotation.create_group("O")):
        yield f"axes {index}", scan, _laid(scan, turn, 1, rng.uniform(-60, 60, 3))
    for index in range(10):
        yield f"turn {index}", scan, _laid(scan, _turn(rng, 45), 1, rng.uniform(-60, 60, 3))
    for size in SIZES:
        yield f"size {size}", scan, _laid(scan, _turn(rng, 10), size, rng.uniform(-60, 60, 3))
    for side in ("top", "bottom"):
        yield f"without {side}", without(scan, side, 0.25), _laid(scan, _turn(rng, 10), 1, rng.uniform(-60, 60, 3))


def measured(scan: Volume, name: str, part: Volume, pose: Array, untouched: Array) -> Row:
    """Laid by `pose`, and through the whole preparation of a scan."""
    start = time.perf_counter()
    try:
        brain = Preprocessor().to_brain(Volume(part.data, pose @ part.affine, part.name))
    except ScanError:
        return Row(scan.name, name, "refused", None, None, None, round(time.perf_counter() - start, 2))
    seconds, found = round(time.perf_counter() - start, 2), brain.transform
    error = round(error_mm(part, pose, found.matrix, untouched), 3)
    outcome = "warned" if brain.warnings else "silent"
    return Row(scan.name, name, outcome, error, round(found.similarity, 4), round(found.covered_share, 4), seconds)


def rows_of(path: Path, seed: int, every: int, known: set[tuple[str, str]]) -> list[Row]:
    """Every so many of one brain's poses that are not `known`."""
    scan = read_nifti(path)
    laid = [one for index, one in enumerate(poses(scan, seed)) if (index + seed) % every == 0]
    laid = [one for one in laid if (scan.name, one[0]) not in known]
    untouched = register(scan).matrix if laid else np.eye(4)
    return [measured(scan, *one, untouched) for one in laid]


def recorded() -> list[dict[str, str]]:
    """The rows that stand in RECORD."""
    if not RECORD.exists():
        return []
    with RECORD.open(newline="") as table:
        return list(csv.DictReader(table))


def main(brains: int, every: int, jobs: int) -> None:
    """Measures what is missing, then prints the figures of all that stands recorded."""
    folders = [find_data(name) for name in ("ixi", "ds002748")]
    files = [path for folder in folders if folder for path in nifti_files(folder)[: 2 * brains : 4]][:brains]
    known = {(row["scan"], row["pose"]) for row in recorded()}
    call = partial(rows_of, every=every, known=known)
    work = (joblib.delayed(call)(path, seed) for seed, path in enumerate(files))
    for rows in joblib.Parallel(jobs, return_as="generator")(work):
        _append(rows)
    _print(recorded())


def _append(rows: list[Row]) -> None:
    fresh = not RECORD.exists()
    with RECORD.open("a", newline="") as table:
        writer = csv.DictWriter(table, [field.name for field in fields(Row)], lineterminator="\n")
        if fresh:
            writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


def _print(rows: list[dict[str, str]]) -> None:
    for kind in ("axes", "turn", "size", "without", ""):
        part = [row for row in rows if row["pose"].startswith(kind)]
        errors = np.array([float(row["error_mm"]) for row in part if row["error_mm"]])
        refused = sum(row["outcome"] == "refused" for row in part)
        if len(errors):
            spread = f"mean {errors.mean():.2f} mm, 95 % within {np.percentile(errors, 95):.2f}, at most {errors.max():.2f}"
            print(f"{kind or 'all':8} {len(part):4} poses: {spread}; {refused} refused")
    silent = [float(row["error_mm"]) for row in rows if row["outcome"] == "silent"]
    print(f"marks: mean {MARKS_MM[0]}, 95 % {MARKS_MM[1]}; without a word at most {max(silent):.2f} (mark {MARKS_MM[2]})")
    print(f"seconds: median {np.median([float(row['seconds']) for row in rows]):.1f}")


def _turn(rng: np.random.Generator, most_degrees: float) -> Rotation:
    axis = rng.normal(size=3)
    return Rotation.from_rotvec(axis / np.linalg.norm(axis) * rng.uniform(0, most_degrees), degrees=True)


def _laid(scan: Volume, turn: Rotation, size: float, shift_mm: Array) -> Array:
    pose = about_its_centre(scan, size * turn.as_matrix())
    pose[:3, 3] += shift_mm
    return pose


if __name__ == "__main__":
    parser = argparse.ArgumentParser("python -m benchmarks.registration")
    parser.add_argument("--brains", type=int, default=20)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    main(options.brains, options.every, options.jobs)
