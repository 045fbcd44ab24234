"""`python -m training.fusion_weights [CHECKPOINT] [--data FOLDER]`: which maps the logistic fusion is made of, and their weights.

Lesions painted into the checkpoint's validation subjects say both: maps are taken one by one, the one first that raises most
the AP on subjects that the weights were not fitted to. Every subject is scored against a healthy reference without itself.
What is printed stands in vaead_core/scorers/fusion.py.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.progress import track
from sklearn.linear_model import LogisticRegression

from vaead_core import scorers
from vaead_core.checkpoints.calibration import healthy_pixels
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.checkpoints.search import opened
from vaead_core.errors import CheckpointError, exit_status
from vaead_core.experiments.painted import KINDS, paint
from vaead_core.experiments.subjects import chosen_subjects, judging, prepared_brain, source_of
from vaead_core.measures.metrics import Ranking
from vaead_core.scans.volume import Array, Slices
from vaead_core.scorers.fusion import Fusion, surprise

CANDIDATES = (
    "segmenter", "smoothed_residual", "normalised_residual", "asymmetry", "dark_asymmetry", "voxel_atlas", "ssim",
    "ssim_contrast", "zscored_activation", "denoised_residual",
)  # fmt: skip
HEALTHY_DRAWN = 2000  # pixels a case, to fit to; every lesion's pixel is fitted to
LEAST_GAIN = 0.005  # in AP, for another map


@dataclass(frozen=True)
class Case:
    """A painted scan. rows: (P, candidates) rarity of each brain pixel. truth: (P,) bool."""

    subject: str
    kind: str
    rows: Array
    truth: Array


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0, or 2 with one sentence on stderr."""
    parser = argparse.ArgumentParser("python -m training.fusion_weights", description=__doc__.split(": ", 1)[1].split("\n")[0])
    parser.add_argument("checkpoint", nargs="?", type=Path, default=Path("checkpoints/brain-slices-2mm"), metavar="CHECKPOINT")
    parser.add_argument("--data", help="the scans it was trained on; default: found by the name that the checkpoint holds")
    options = parser.parse_args(arguments)
    return exit_status(lambda: choose(options.checkpoint, options.data), options.checkpoint, "nothing was written")


def choose(folder: Path, data: str | None) -> None:
    """Prints each step, then the weights. Raises CheckpointError for a checkpoint without one of the CANDIDATES."""
    known = opened(str(folder)).model.healthy
    if lacking := [name for name in CANDIDATES if name not in known]:
        raise CheckpointError(
            f"{folder.name} has no {lacking[0]}; the fusion is made for a model of brain slices with "
            "a segmenter and a denoiser (python -m training.companions)."
        )
    cases = painted_cases(folder, data)
    members = list(Fusion.needs.members)
    mean = {
        kind: float(np.mean([_ap(case, case.rows[:, _columns(members)].mean(1)) for case in cases if case.kind == kind]))
        for kind in KINDS
    }
    print(f"mean of {', '.join(members)}: {_said(mean)}")
    chosen: list[str] = []
    best = 0.0
    while others := [name for name in CANDIDATES if name not in chosen]:
        tried = {name: held_out_ap(cases, [*chosen, name]) for name in others}
        name = max(tried, key=lambda one: np.mean(list(tried[one].values())))
        if (reached := float(np.mean(list(tried[name].values())))) < best + LEAST_GAIN:
            break
        chosen, best = [*chosen, name], reached
        print(f"+ {name}: {_said(tried[name])}")
    model = fitted(cases, chosen)
    print(f"WEIGHTS = {dict(zip(chosen, model.coef_[0].round(3).tolist(), strict=True))}\nINTERCEPT = {model.intercept_[0]:.3f}")


def painted_cases(folder: Path, data: str | None) -> list[Case]:
    """Every kind and combination in every validation subject."""
    whole = opened(str(folder))
    source, found = source_of(whole, data), []
    for subject in track(chosen_subjects(whole, "validation"), "Painting"):
        checkpoint = judging(str(folder), source, subject)
        preprocessor = checkpoint.preprocessor
        if preprocessor is None:
            raise CheckpointError(f"{folder.name} is not a model of brain scans; choose one of the brain checkpoints.")
        brain = prepared_brain(source, subject, str(folder))
        for kind, combinations in KINDS.items():
            for name in combinations:
                case = paint(kind, name, brain, subject, seed=0)
                slices = preprocessor.to_slices(case.brain)
                rows = np.stack([_rarity(one, checkpoint, slices) for one in CANDIDATES], 1)
                truth = preprocessor.slice_grid.on_slices(case.truth, slices)[slices.mask]
                found.append(Case(subject, kind, rows.astype(np.float16), truth))
    return found


def _rarity(name: str, checkpoint: Checkpoint, slices: Slices) -> Array:
    """(P,) of each brain pixel, on the scan's own scale."""
    values = scorers.abnormality(name, scorers.build_map(name).score_map(checkpoint.model, slices))[slices.mask]
    return surprise(values, healthy_pixels(name, values, checkpoint.calibration))


def held_out_ap(cases: list[Case], names: list[str]) -> dict[str, float]:
    """Mean AP by kind, each subject scored with weights fitted to the others."""
    found: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for subject in dict.fromkeys(case.subject for case in cases):
        model = fitted([case for case in cases if case.subject != subject], names)
        for case in cases:
            if case.subject == subject:
                found[case.kind].append(_ap(case, case.rows[:, _columns(names)] @ model.coef_[0]))
    return {kind: float(np.mean(values)) for kind, values in found.items()}


def fitted(cases: list[Case], names: list[str]) -> LogisticRegression:
    """Lesion against healthy pixels of the same scans; each case counts as much, and in it both classes."""
    rng = np.random.default_rng(0)
    rows, truth, weight = [], [], []
    for case in cases:
        inside, outside = np.flatnonzero(case.truth), np.flatnonzero(~case.truth)
        outside = rng.choice(outside, HEALTHY_DRAWN, replace=False)
        rows.append(case.rows[np.concatenate([inside, outside])][:, _columns(names)])
        truth.append(np.repeat([True, False], [len(inside), len(outside)]))
        weight.append(np.repeat([1 / max(len(inside), 1), 1 / len(outside)], [len(inside), len(outside)]))
    return LogisticRegression(C=1e3).fit(np.concatenate(rows), np.concatenate(truth), np.concatenate(weight) * HEALTHY_DRAWN)


def _columns(names: list[str]) -> list[int]:
    return [CANDIDATES.index(name) for name in names]


def _ap(case: Case, values: Array) -> float:
    return Ranking(values.astype(np.float32)).detection(case.truth).ap


def _said(by_kind: dict[str, float]) -> str:
    return ", ".join(f"{kind} {ap:.3f}" for kind, ap in by_kind.items()) + f"; mean {np.mean(list(by_kind.values())):.3f}"


if __name__ == "__main__":
    sys.exit(main())
