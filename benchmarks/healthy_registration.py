"""`python -m benchmarks.healthy_registration [--record]`: how well healthy brains lie on the atlas, and what bound follows.

The bound of similarity lies four standard deviations above the most similar place at which a brain rests that is turned
by half, over every third of IXI's training subjects and of every other control of ds002748. All scans of both check it.
--record writes results/registration_healthy.json, whose figures vaead_core/scans/registration/quality.py holds. Dice is of
masks on the 2 mm grid.
"""

import argparse
import csv
import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.cohorts.locations import find_data
from vaead_core.cohorts.nifti_folder import nifti_files
from vaead_core.scans.nifti import read_nifti
from vaead_core.scans.registration import atlas_grid, descent, register, to_atlas
from vaead_core.scans.registration.quality import judged
from vaead_core.scans.slice_grid import atlas_brain
from vaead_core.scans.volume import Volume

RECORD = Path(__file__).resolve().parents[1] / "results" / "registration_healthy.json"
DEVIATIONS = 4
HALF_TURNS = (np.diag([1.0, -1, -1, 1]), np.diag([-1.0, 1, -1, 1]), np.diag([-1.0, -1, 1, 1]))


@dataclass(frozen=True)
class Row:
    """One scan's placement. part: `bound` where the bound is made of it, else `check`.

    turned_similarity: the highest at which a descent rests that is begun with the brain turned by half; of every third of them.
    """

    scan: str
    part: str
    similarity: float
    turned_similarity: float | None
    dice: float
    covered_share: float
    rotation_degrees: float
    seconds: float


def main(record: bool) -> None:
    """Prints a line a scan, then each data set's figures and the bound."""
    rows = {name: measured(folder, bound_names(name, folder)) for name, folder in _folders().items()}
    every = [row for part in rows.values() for row in part]
    bound = np.array([row.similarity for row in every if row.part == "bound"])
    turned = np.array([row.turned_similarity for row in every if row.turned_similarity is not None])
    least = round(turned.mean() + DEVIATIONS * turned.std(ddof=1), 2)
    for name, part in rows.items():
        dice, seconds = ([getattr(row, field) for row in part] for field in ("dice", "seconds"))
        print(f"{name}: {len(part)} scans: Dice mean {np.mean(dice):.4f}, minimum {np.min(dice):.4f}")
        print(f"seconds a scan: median {np.median(seconds):.2f}, maximum {np.max(seconds):.2f}")
    found = f"mean {bound.mean():.4f}, SD {bound.std(ddof=1):.4f}, {bound.min():.4f} to {bound.max():.4f}"
    print(f"similarity of {len(bound)}: {found}; turned by half, {turned.mean():.4f} to {turned.max():.4f}")
    print(f"least similarity {least:.2f}")
    print("below it:", [row.scan for row in every if row.similarity < least])
    if record:
        about = {"command": "python -m benchmarks.healthy_registration --record", "scans": len(bound)}
        about |= {"mean": round(bound.mean(), 4), "standard_deviation": round(bound.std(ddof=1), 4)}
        about |= {"healthy_similarities": [round(bound.min(), 2), round(bound.max(), 2)], "least_similarity": least}
        about |= {"turned_mean": round(turned.mean(), 4), "turned_standard_deviation": round(turned.std(ddof=1), 4)}
        kept = [{key: value for key, value in asdict(row).items() if key != "seconds"} for row in every]
        RECORD.write_text(json.dumps(about | {"rows": kept}, indent=1) + "\n")


def measured(folder: Path, bound: set[str]) -> list[Row]:
    """Every scan of a folder, registered. `bound`: names of those that the bound is made of."""
    rows = []
    for path in nifti_files(folder):
        start = time.perf_counter()
        scan = read_nifti(path)
        found = register(scan)
        seconds = time.perf_counter() - start
        mask, target = to_atlas(scan.mask.astype(np.float32), scan, found, atlas_grid(2)) > 0.5, atlas_brain(2)
        dice = 2 * float((mask & target).sum()) / float(mask.sum() + target.sum())
        name = path.name.removesuffix(".nii.gz")
        part = "bound" if name in bound else "check"
        turned = turned_similarity(scan) if name in sorted(bound)[::3] else None
        dice, covered, rotation = (round(value, 4) for value in (dice, found.covered_share, found.rotation_degrees))
        rows.append(Row(name, part, round(found.similarity, 4), turned, dice, covered, rotation, round(seconds, 2)))
        print(*(f"{value:.4f}" if isinstance(value, float) else value for value in asdict(rows[-1]).values()), flush=True)
    return rows


def turned_similarity(scan: Volume) -> float:
    """The highest of three wrong placements."""
    small = [descent.coarse(replace(scan, affine=turn @ scan.affine)) for turn in HALF_TURNS]
    return round(max(judged(one, descent.at_rest(one, descent.from_moments(one))).similarity for one in small), 4)


def bound_names(name: str, folder: Path) -> set[str]:
    """Of a data set, the scans that the bound is made of."""
    if name == "ixi":
        return set(Checkpoint.load(RECORD.parents[1] / "checkpoints" / "brain-slices-2mm").provenance.source.subjects["train"])
    with (folder / "participants.tsv").open() as table:
        controls = [row["participant_id"] for row in csv.DictReader(table, delimiter="\t") if row["group"] == "control"]
    return {f"{participant}_T1w" for participant in controls[::2]}


def _folders() -> dict[str, Path]:
    found = {name: find_data(name) for name in ("ixi", "ds002748")}
    return {name: folder for name, folder in found.items() if folder is not None}


if __name__ == "__main__":
    parser = argparse.ArgumentParser("python -m benchmarks.healthy_registration")
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args()
    if len(_folders()) < 2:
        parser.error("the development data ixi and ds002748 are needed.")
    main(options.record)
