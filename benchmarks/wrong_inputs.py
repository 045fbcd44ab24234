"""`python -m benchmarks.wrong_inputs`: one healthy brain's file, spoilt in ways that labs spoil files; what becomes of each.

An input is `silent` when it is taken without a word though its tissue is put more than MARK_MM from where that of the whole
file is put. The table goes to results/wrong_inputs.csv. The brain is IXI012 of the development data, else a synthetic one.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation

from tests.support.heads import head_around
from tests.support.poses import about_its_centre, error_mm, without
from vaead_core.cohorts.locations import find_data
from vaead_core.cohorts.synthetic import synthetic_brain
from vaead_core.errors import InputError
from vaead_core.scans.heads import with_brain
from vaead_core.scans.nifti import read_nifti
from vaead_core.scans.preprocessing import Preprocessor
from vaead_core.scans.registration import register
from vaead_core.scans.volume import Array, Volume

RECORD = Path(__file__).resolve().parents[1] / "results" / "wrong_inputs.csv"
MARK_MM = 3.0
SAME = np.eye(4)


@dataclass(frozen=True)
class Row:
    """One input. outcome: `refused`, `said`, `right` (within MARK_MM, without a word) or `silent`. error_mm: where taken."""

    input: str
    outcome: str
    error_mm: float | None
    sentence: str


@dataclass(frozen=True)
class Input:
    """content: of the file. pose: (4, 4) by which its header moved the world. kept: the brain that is left in it."""

    content: bytes
    pose: Array
    kept: Volume


def inputs(scan: Volume) -> Iterator[tuple[str, Callable[[], Input]]]:
    """Each by its name, made when asked for."""

    def posed(pose: Array) -> Callable[[], Input]:
        return lambda: Input(stored(scan.data, pose @ scan.affine), pose, scan)

    def turned(x: float = 0, y: float = 0, z: float = 0) -> Callable[[], Input]:
        return posed(about_its_centre(scan, Rotation.from_euler("xyz", [x, y, z], degrees=True).as_matrix()))

    def valued(data: Array, **header: str) -> Callable[[], Input]:
        return lambda: Input(stored(data, scan.affine, **header), SAME, scan)

    def cut(side: str, share: float) -> Callable[[], Input]:
        part = without(scan, side, share)
        return lambda: Input(stored(part.data, part.affine), SAME, part)

    for x, y, z in [(10, 0, 0), (-20, 0, 0), (0, 30, 0), (0, 0, 20), (90, 0, 0), (0, 90, 0), (0, 0, 90)]:
        yield f"turned by {x} {y} {z} degrees", turned(x, y, z)
    for x, y, z in [(180, 0, 0), (0, 180, 0), (0, 0, 180)]:
        yield f"turned by {x} {y} {z} degrees", turned(x, y, z)
    yield "LPS written as RAS", posed(np.diag([-1.0, -1, 1, 1]))
    for axis, name in ((1, "front and back"), (2, "top and bottom")):
        yield f"array with {name} exchanged", flipped(scan, axis)
    yield "60 mm aside", posed(nib.affines.from_matvec(np.eye(3), [60, -40, 50]))
    yield "no qform and no sform, stored PSR", unplaced(scan)
    yield "without its top third", cut("top", 1 / 3)
    yield "without its bottom third", cut("bottom", 1 / 3)
    yield "without its left half", cut("left", 1 / 2)
    for factor in (0.5, 2.0, 10.0, 1e-10):
        yield f"voxels {factor:g} times as large", posed(np.diag([factor, factor, factor, 1.0]))
    yield "in metres", lambda: Input(stored(scan.data, np.diag([1e-3, 1e-3, 1e-3, 1]) @ scan.affine, unit="meter"), SAME, scan)
    yield "in mm, called metres", valued(scan.data, unit="meter")
    yield "background -1", valued(np.where(scan.mask, scan.data, -1))
    yield "background -0.00077", valued(np.where(scan.mask, scan.data, -0.00077))
    yield "background NaN", valued(np.where(scan.mask, scan.data, np.nan))
    inside = scan.data[scan.mask]
    yield "scaled to mean 0", valued(np.where(scan.mask, (scan.data - inside.mean()) / inside.std(), 0))
    yield "a negative picture", valued(-scan.data)
    yield "the brain's mask", valued(scan.mask.astype(np.float32))
    yield "noise in the brain's shape", valued(np.where(scan.mask, np.random.default_rng(0).uniform(50, 200, scan.data.shape), 0))
    yield "a ball", ball(scan)
    yield "NaN within the brain", valued(np.where(ndimage.binary_erosion(scan.mask, iterations=9), np.nan, scan.data))
    yield "a whole head", head(scan)
    yield "a cut-off file", lambda: Input(stored(scan.data, scan.affine)[:-9000], SAME, scan)
    yield "two volumes in one", valued(np.stack([scan.data, scan.data], -1))


def flipped(scan: Volume, axis: int) -> Callable[[], Input]:
    """The array the other way round along an axis, the header as it was: a mirrored brain."""
    pose = np.eye(4)
    pose[axis, axis] = -1
    pose[axis, 3] = 2 * scan.affine[axis, 3] + scan.affine[axis, axis] * (scan.data.shape[axis] - 1)
    return lambda: Input(stored(np.flip(scan.data, axis), scan.affine), pose, scan)


def unplaced(scan: Volume) -> Callable[[], Input]:
    """A file whose header says nothing of orientation, its axes to the back, up and to the right."""
    order = nib.orientations.axcodes2ornt(("P", "S", "R"))
    image = nib.Nifti1Image(scan.data, scan.affine).as_reoriented(nib.orientations.ornt_transform(_RAS, order))
    bare = nib.Nifti1Image(np.asarray(image.dataobj), None)
    bare.header.set_zooms(image.header.get_zooms())
    pose = bare.header.get_base_affine() @ np.linalg.inv(image.affine)
    return lambda: Input(gzip.compress(bare.to_bytes()), pose, scan)


def ball(scan: Volume) -> Callable[[], Input]:
    """As large as a brain, brighter inside."""
    centre = np.argwhere(scan.mask).mean(0)
    away_mm = np.linalg.norm((np.indices(scan.data.shape).transpose(1, 2, 3, 0) - centre) * scan.spacing_mm, axis=-1)
    return lambda: Input(stored(np.where(away_mm < 68, 300 - 3 * away_mm, 0), scan.affine), SAME, scan)


def head(scan: Volume) -> Callable[[], Input]:
    """The brain in fluid, skull, scalp and neck."""
    whole, brain = head_around(scan)
    return lambda: Input(stored(whole.data, whole.affine), SAME, Volume(whole.data * brain, whole.affine))


_RAS = nib.orientations.axcodes2ornt(("R", "A", "S"))


def stored(data: Array, affine: Array, unit: str = "mm") -> bytes:
    """A zipped NIfTI file."""
    image = nib.Nifti1Image(np.asarray(data, np.float32), affine)
    image.header.set_xyzt_units(unit)
    return gzip.compress(image.to_bytes(), 1)


def measured(name: str, given: Input, untouched: Array) -> Row:
    """Read and prepared as `vaead score` does."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scan.nii.gz"
        path.write_bytes(given.content)
        try:
            brain = Preprocessor().to_brain(with_brain(read_nifti(path)))
        except InputError as error:
            return Row(name, "refused", None, str(error))
    off_mm = round(error_mm(given.kept, given.pose, brain.transform.matrix, untouched), 2)
    if brain.warnings:
        return Row(name, "said", off_mm, " ".join(brain.warnings))
    return Row(name, "silent" if off_mm > MARK_MM else "right", off_mm, "")


def main(record: bool) -> None:
    """Prints a line an input, and how many were silent."""
    folder = find_data("ixi")
    scan = read_nifti(next(folder.glob("IXI012*"))) if folder else synthetic_brain(7, 0, 40.0)
    untouched, rows = register(scan).matrix, []
    for name, made in inputs(scan):
        rows.append(measured(name, made(), untouched))
        error = "" if rows[-1].error_mm is None else f"{rows[-1].error_mm:.2f} mm"
        print(f"{name:36} {rows[-1].outcome:8} {error:10} {rows[-1].sentence}", flush=True)
    silent = [row.input for row in rows if row.outcome == "silent"]
    print(f"{len(rows)} inputs, {len(silent)} silent", *silent, sep="\n  ")
    if record:
        with RECORD.open("w", newline="") as table:
            writer = csv.DictWriter(table, [field.name for field in fields(Row)], lineterminator="\n")
            writer.writeheader()
            writer.writerows(asdict(row) for row in rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser("python -m benchmarks.wrong_inputs")
    parser.add_argument("--record", action="store_true", help=f"write {RECORD.name}")
    main(parser.parse_args().record)
