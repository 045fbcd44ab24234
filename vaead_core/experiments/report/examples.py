"""Example maps (thesis, Figs. 9 and 11): one toy of each dataset in a test brain, and what each scorer makes of it."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np

from vaead_core import scorers
from vaead_core.anomalies.toys.datasets import DATASETS, plant
from vaead_core.checkpoints.calibration import FULL_RATE
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.checkpoints.search import opened
from vaead_core.experiments import subjects
from vaead_core.experiments.report import charts
from vaead_core.experiments.toy_scans import score_map
from vaead_core.scans.volume import Array

SHOWN = {
    "circles": "15 mm dark",
    "random": "15 mm bright",
    "multiple": "10 mm dark + bright",
    "tumour": "10 + 4 mm dark in bright",
}
MAPS = {
    "slices": ("residual", "normalised_residual", "activation", "zscored_activation", "voxel_atlas"),
    "patches": ("patch_error", "residual", "normalised_residual", "activation", "voxel_atlas"),
}


def draw_examples(experiment: str, folder: str, data: str | None, path: Path) -> None:
    """Draws toys in the first test subject of a checkpoint's cohort. Raises InputError where the cohort is not found.

    Colours run from the healthy median to the value that one in a thousand healthy brain pixels exceeds.
    """
    checkpoint = opened(folder)
    if checkpoint.preprocessor is None:
        raise ValueError("only models of brain scans have example maps")
    source, subject = subjects.source_of(checkpoint, data), subjects.chosen_subjects(checkpoint, "test")[0]
    clean = subjects.prepared(source, subject, folder)
    rows = []
    for dataset, wanted in SHOWN.items():
        combination = next(one for one in DATASETS[dataset] if one.name == wanted)
        case = plant(dataset, combination, clean, checkpoint.preprocessor.spacing_mm, subject)
        planted = np.flatnonzero(case.planted)
        one = case.slices[planted[len(planted) // 2 :][:1]]
        truth = case.truth[planted[len(planted) // 2]]
        maps = [_coloured(score_map(checkpoint, (name, ()), one)[0], one.mask[0], checkpoint, name) for name in MAPS[experiment]]
        redrawn = checkpoint.model.map(one, lambda view: view.reconstruction)[0]
        pictures = [
            _grey(one.pixels[0], one.mask[0]),
            _grey(redrawn, one.mask[0]),
            np.repeat(truth[..., None] * 1.0, 3, 2),
            *maps,
        ]
        rows.append([picture[::-1] for picture in pictures])
    charts.image_rows(rows, ["with toy", "reconstruction", "truth", *(scorers.SCORERS[n].title for n in MAPS[experiment])], path)


def _grey(pixels: Array, mask: Array) -> Array:
    return np.repeat((np.where(mask, np.clip((pixels + 1) / 2, 0, 1), 0))[..., None], 3, 2)


def _coloured(values: Array, mask: Array, checkpoint: Checkpoint, name: str) -> Array:
    usual, full = (checkpoint.calibration[name].threshold(rate) for rate in (0.5, FULL_RATE))
    return mpl.colormaps["inferno"](np.clip((values - usual) / (full - usual), 0, 1))[..., :3] * mask[..., None]
