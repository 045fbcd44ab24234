"""`python -m benchmarks.limits`: does what the detection limits of a scan foretell come true? Sensitivity by size, both ways.

Foretold: the limits of the untouched scan of each person, as `vaead limits` has them.
Measured: other lesions of another seed in the same scan, at most TOGETHER at a time, painted over the whole brain at random
places of their tissue as the experiment `painted` does, not in the order, the boxes and the distances of `vaead limits`. Each
such scan is scored anew as a whole, with its own scale and its own threshold. Found is what has a tenth of its voxels newly
marked. For each measured lesion the limits foretell a share by its look and volume, in one of two ways: that of its cell (look
and size) of the table, or that of the curve of its look. Which of the two is taken was settled on validation subjects.
Chance: how often the place of a lesion of one scan counts as found in the next one, where it is not.
Rows go to results/limits.csv; the command prints those of all people together.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from numpy.random import Generator

from vaead_core.anomalies.lesions.outlines import centre_in, tissues
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.checkpoints.search import opened
from vaead_core.computing.whole_file import write_whole
from vaead_core.experiments.records import ALL
from vaead_core.experiments.report.wording import markdown_table
from vaead_core.experiments.subjects import judging, measured, prepared_brain
from vaead_core.measures.found_lesions import found_lesions
from vaead_core.pipeline.limits.lesion_scans import APART_MM, SIZES, PaintedLesion, Wanted, built, wanted
from vaead_core.pipeline.limits.measuring import ThresholdedMap, detection_limits
from vaead_core.pipeline.limits.psychometric import interval
from vaead_core.pipeline.limits.table import Limits
from vaead_core.pipeline.scoring import PreparedScan, score
from vaead_core.scans.preprocessing import Preprocessor
from vaead_core.scans.volume import Array, Slices

RECORD = Path(__file__).resolve().parents[1] / "results" / "limits.csv"
PARTS = ("validation", "test")
WAYS = ("cell", "curve")
RATE = 0.05
TOGETHER = 4
BOUND = 0.1  # that foretold and measured shall not differ by more than, in each size class
_TRIES = 20  # places for a lesion
_REPAINTED = 4  # times, with another radius, until a lesion has the size that is asked for
_LEAST_MM = 1.5
_REACH = 2.2  # radii that a lesion may take


@dataclass(frozen=True)
class Measured:
    """Slices of a scan with a few lesions in it, their places (N, H, W), n in lesion n, and what each is."""

    slices: Slices
    prepared: PreparedScan
    labels: Array
    lesions: tuple[PaintedLesion, ...]


def scans(prepared: PreparedScan, preprocessor: Preprocessor, seed: int, repeats: int) -> Iterator[Measured]:
    """All that is wanted, in a random order, TOGETHER at a time."""
    rng = np.random.default_rng([1, seed])
    every = wanted(rng, repeats)
    order = rng.permutation(len(every)).tolist()
    for start in range(0, len(order), TOGETHER):
        yield painted(prepared, preprocessor, [every[at] for at in order[start : start + TOGETHER]], rng)


def painted(prepared: PreparedScan, preprocessor: Preprocessor, these: Iterable[Wanted], rng: Generator) -> Measured:
    """One such scan; what finds no room in it, or does not come out as large as it shall be, is left out."""
    brain, grid = prepared.brain, preprocessor.slice_grid
    labels, spacing_mm = tissues(int(brain.spacing_mm)), brain.spacing_mm
    seen = grid.to_volume(prepared.slices.mask, prepared.slices) > 0
    numbers, kept = np.zeros(brain.mask.shape, np.int32), list[PaintedLesion]()
    for one in these:
        radius_mm = max(one.radius_mm, _LEAST_MM)
        places = built(one.kind, one.look, radius_mm).places(brain, labels) & seen
        for _ in range(_TRIES):
            centre = centre_in(places, rng)
            gaps = [spacing_mm * np.linalg.norm(centre - other.centre) - other.reach_mm for other in kept]
            if all(gap >= _REACH * radius_mm + APART_MM for gap in gaps):
                break
        else:
            continue
        for _ in range(_REPAINTED):
            case = built(one.kind, one.look, radius_mm).paint_at(centre, brain, labels, rng)
            truth = case.truth & seen & (numbers == 0)
            volume_ml = float(truth.sum()) * spacing_mm**3 / 1000
            if one.is_met_by(volume_ml):
                brain = case.brain
                i, j, k = centre.tolist()
                kept.append(PaintedLesion(one.kind, one.look, volume_ml, (i, j, k), _REACH * radius_mm))
                numbers[truth] = len(kept)
                break
            radius_mm = max(one.nearer(radius_mm, volume_ml), _LEAST_MM)
    slices = preprocessor.to_slices(brain)
    return Measured(slices, PreparedScan(brain, slices), grid.on_slices(numbers, slices), tuple(kept))


def of_subject(folder: str, source: str, part: str, subject: str, scorer: str, seed: int, repeats: int) -> list[dict[str, Any]]:
    """A row a measured lesion."""
    checkpoint, brain = judging(folder, source, subject), prepared_brain(source, subject, folder)
    preprocessor = checkpoint.preprocessor
    assert preprocessor is not None, "a checkpoint of brain slices"
    prepared = PreparedScan(brain, preprocessor.to_slices(brain))
    untouched = ThresholdedMap.at(score(prepared, checkpoint, scorer), RATE)
    (limits,) = detection_limits(prepared, checkpoint, [untouched], lambda _: None, seed)
    marked_before = untouched.scored.abnormality > untouched.threshold
    rows: list[dict[str, Any]] = []
    before: Measured | None = None
    for scan in scans(prepared, preprocessor, seed, repeats):
        newly = _marked(scan, checkpoint, scorer) & ~marked_before
        found = found_lesions(newly, scan.labels, len(scan.lesions)).tolist()
        chance = [] if before is None else found_lesions(newly, before.labels, len(before.lesions)).tolist()
        rows += [_row(limits, one, hit) for one, hit in zip(scan.lesions, found, strict=True)]
        for row, hit in zip(rows[len(rows) - len(found) - len(chance) :], chance, strict=False):
            row["chance"] = hit
        before = scan
    about = {"part": part, "scorer": scorer, "subject": subject}
    return [about | row for row in rows]


def _marked(scan: Measured, checkpoint: Checkpoint, scorer: str) -> Array:
    one = ThresholdedMap.at(score(scan.prepared, checkpoint, scorer), RATE)
    return (one.scored.abnormality > one.threshold) & scan.slices.mask


def _row(limits: Limits, one: PaintedLesion, found: bool) -> dict[str, Any]:
    """What was foretold of a lesion, each way, and whether it was found."""
    cell = next(cell for cell in limits.cells if (cell.look, cell.size) == (one.look, one.size))
    curve = limits.curve(one.look)
    foretold = {"cell": cell.sensitivity, "curve": float(curve.share(np.array([one.volume_ml]))[0]) if curve else np.nan}
    return {"look": one.look, "size": one.size, "volume_ml": one.volume_ml, "found": found, "chance": np.nan, **foretold}


def table(lesions: pd.DataFrame) -> pd.DataFrame:
    """A row a part, scorer, way, person (and ALL) and size."""
    rows = []
    together = pd.concat([lesions, lesions.assign(subject=ALL)], ignore_index=True)
    for (part, scorer, subject, size), these in together.groupby(["part", "scorer", "subject", "size"], sort=False):
        for way in WAYS:
            known = these[these[way].notna()]
            count, found = len(known), int(known["found"].sum())
            if count:
                low, high = interval(found, count)
                foretold, share = float(known[way].mean()), found / count
                rows.append(
                    {"part": part, "scorer": scorer, "way": way, "subject": subject, "size": size, "count": count,
                     "predicted": round(foretold, 4), "measured": round(share, 4), "low": round(low, 4), "high": round(high, 4),
                     "difference": round(foretold - share, 4), "chance": round(float(known["chance"].astype(float).mean()), 4)}
                )  # fmt: skip
    found_rows = pd.DataFrame(rows)
    order = {size: at for at, size in enumerate(SIZES)}
    return found_rows.sort_values(["part", "scorer", "way", "subject", "size"], key=lambda one: one.replace(order), kind="stable")


def chosen_way(known: pd.DataFrame) -> str:
    """That which differs less on validation subjects, by the mean of the sizes."""
    together = known[(known["part"] == PARTS[0]) & (known["subject"] == ALL)]
    return str(together.assign(away=together["difference"].abs()).groupby("way")["away"].mean().idxmin())


def shown(known: pd.DataFrame, way: str) -> str:
    """All people together, as a Markdown table, and by how much single ones differ."""
    these = known[known["way"] == way]
    rows = [
        (one.part, one.scorer, one.size, f"{one.predicted:.2f}", f"{one.measured:.2f} [{one.low:.2f}, {one.high:.2f}]",
         str(one.count), f"{one.difference:+.2f}", f"{one.chance:.3f}")
        for one in these[these["subject"] == ALL].itertuples()
    ]  # fmt: skip
    single = these[(these["part"] == PARTS[1]) & (these["subject"] != ALL)]
    within = int((single["difference"].abs() <= BOUND).sum())
    heads = ("part", "scorer", "size", "foretold", "measured", "lesions", "difference", "chance")
    said = f"Of {len(single)} sizes of single test scans {within} differ by at most {BOUND:g}, the farthest by "
    return f"{markdown_table(heads, rows)}\n\n{said}{single['difference'].abs().max():.2f}."


def main(folder: str, data: str | None, names: list[str], people: int, seed: int, repeats: int, jobs: int) -> None:
    """Writes RECORD and prints a table of it."""
    work = []
    for part in PARTS:
        source, subjects = measured(opened(folder), data, part, people)
        work += [(folder, source, part, subject, name, seed, repeats) for name in names for subject in subjects]
    rows = [row for rows in joblib.Parallel(jobs)(joblib.delayed(of_subject)(*one) for one in work) for row in rows]
    known = table(pd.DataFrame(rows))
    write_whole(RECORD, known.to_csv(index=False, lineterminator="\n"))
    way = chosen_way(known)
    print(f"The {way} is taken, as it differs less on validation subjects.\n\n{shown(known, way)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", default="checkpoints/brain-slices-2mm")
    parser.add_argument("--data", help="the scans that it was trained on; default: found by the name it holds")
    parser.add_argument("--scorers", nargs="+", default=["logistic_fusion"])
    parser.add_argument("--people", type=int, default=4, help="of each part")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=8, help="lesions of a size and look that are measured in each scan")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    main(options.checkpoint, options.data, options.scorers, options.people, options.seed, options.repeats, options.jobs)
