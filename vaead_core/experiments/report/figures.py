"""Which figures stand under which experiment: those of the thesis, drawn from our tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from vaead_core import detectors
from vaead_core.experiments.records import ALL
from vaead_core.experiments.report import charts, readout
from vaead_core.experiments.report.tables import Tables, chosen_detector, label, select
from vaead_core.experiments.report.thesis import CLAIMS, DETECTORS, TOYS
from vaead_core.experiments.report.verdicts import background_name


@dataclass(frozen=True)
class Picture:
    """A drawn figure and what a reader is to see in it."""

    name: str
    caption: str


def draw(experiment: str, tables: Tables, folder: Path) -> list[Picture]:
    """Draws an experiment's figures into `folder`."""
    if experiment == "readout":
        return [Picture(*one) for one in readout.draw(tables, folder)]
    drawn = {"fashion": _fashion, "slices": _slices, "patches": _patches, "background": _background, "entropy": _entropy}
    return drawn[experiment](tables, folder) if experiment in drawn else []


def _fashion(tables: Tables, folder: Path) -> list[Picture]:
    rows = tables["fashion"]
    first = rows[(rows["dataset"] == "balanced") & (rows["seed"] == rows["seed"].min())]
    classes = select(first, "detection", "reconstruction_mse")
    classes = classes[classes["combination"] != ALL].sort_values("ap")
    _bars(classes, classes["combination"].tolist(), "Reconstruction error (thesis, Fig. 5)", folder / "fashion_classes.png",
          ("fashion", "detection", "reconstruction_mse"))  # fmt: skip
    every = first[first["combination"] == ALL].sort_values("ap")
    names = [label(scorer) for scorer in every["scorer"]]
    charts.bars(every, names, "Mean over nine classes", folder / "fashion_scores.png", every["prevalence"].to_numpy())
    grid = first[(first["combination"] != ALL) & first["scorer"].isin(detectors.DETECTORS)]
    charts.table_map(grid.assign(score=grid["scorer"].map(label)).pivot_table(index="score", columns="combination", values="ap"),
                     "Outlier detectors by class (thesis, Fig. 6)", folder / "fashion_detectors.png")  # fmt: skip
    return [
        Picture("fashion_classes.png", "AP of each class by reconstruction error, balanced, first training seed."),
        Picture("fashion_scores.png", "mAP of reconstruction error and every detector, balanced, first training seed."),
        Picture("fashion_detectors.png", "AP of every detector on each class, balanced, first training seed."),
    ]


def _slices(tables: Tables, folder: Path) -> list[Picture]:
    rows = tables["slices"]
    found = [
        _heat(rows, "slices", "detection", "reconstruction_mse", folder, "Fig. 13"),
        _heat(rows, "slices", "segmentation", "residual", folder, "Fig. 20"),
        _heat(rows, "slices", "segmentation", "activation", folder, "Fig. 21"),
        _heat(rows, "slices", "segmentation", "normalised_residual", folder),
        _heat(rows, "slices", "segmentation", "voxel_atlas", folder),
    ]
    chosen = chosen_detector(tables, "slices", "circles")
    charts.heat_maps(select(rows, "detection", *chosen), f"Detection: {label(*chosen)}", folder / "slices_detection_chosen.png")
    caption = f"Detection by {label(*chosen)}, chosen on the circles of validation subjects (thesis, Fig. 14)."
    found.append(Picture("slices_detection_chosen.png", caption))
    for toy in TOYS:
        mine = rows[(rows["dataset"] == toy) & (rows["combination"] == ALL) & (rows["task"] == "detection")]
        mine = mine[mine["scorer"].isin(detectors.DETECTORS)].sort_values("ap")
        labels = [label(*row) for row in zip(mine["scorer"], mine["detector_settings"], strict=True)]
        name = f"slices_detectors_{toy}.png"
        charts.bars(mine, labels, f"Detection of {toy} (thesis, Figs. 15 to 19)", folder / name, mine["prevalence"].to_numpy())
        found.append(Picture(name, f"Every outlier detector on {toy}, against clean twins (chance 0.5)."))
    return [*found, *_segmentation(rows, "slices", folder, "Fig. 8")]


def _patches(tables: Tables, folder: Path) -> list[Picture]:
    rows = tables["patches"]
    figures = (("patch_error", "Fig. 22"), ("residual", "Fig. 23"), ("activation", "Fig. 24"))
    found = [_heat(rows, "patches", "segmentation", scorer, folder, figure) for scorer, figure in figures]
    return [*found, *_segmentation(rows, "patches", folder, "Fig. 10")]


def _background(tables: Tables, folder: Path) -> list[Picture]:
    rows = tables["background"]
    rows = rows[(rows["combination"] != ALL) & rows["dataset"].isin(("circles", "random"))]
    rows = rows.assign(
        intensity=rows["combination"].str.split(" mm ").str[1], checkpoint=rows["checkpoint"].map(background_name)
    )  # fmt: skip
    grids = []
    for scorer, masked in (("residual", True), ("residual", False), ("normalised_residual", True), ("activation", True)):
        mine = select(rows, "segmentation", scorer, masked=masked)
        grids.append((label(scorer, masked=masked), mine.pivot_table(index="checkpoint", columns="intensity", values="ap")))
    charts.table_maps([(title, grid[list(charts.INTENSITY_ORDER)]) for title, grid in grids], folder / "background.png")
    return [Picture("background.png", "Segmentation of circles and random shapes by intensity: one model a background.")]


def _entropy(tables: Tables, folder: Path) -> list[Picture]:
    rows = tables["entropy"]
    rows = rows[(rows["combination"] == ALL) & (rows["task"] == "segmentation")]
    rows = rows.assign(score=[label(*row) for row in zip(rows["scorer"], rows["detector_settings"], strict=True)])
    grids = [(toy, rows[rows["dataset"] == toy].pivot_table(index="score", columns="checkpoint", values="ap")) for toy in TOYS]
    charts.table_maps(grids, folder / "entropy.png")
    return [Picture("entropy.png", "Segmentation mAP of activation maps (stage 1 where none is named) by model.")]


def _heat(rows: pd.DataFrame, experiment: str, task: str, scorer: str, folder: Path, figure: str = "") -> Picture:
    name = f"{experiment}_{task}_{scorer}.png"
    charts.heat_maps(select(rows, task, scorer), f"{task.capitalize()}: {label(scorer)}", folder / name)
    return Picture(name, f"{label(scorer)}, {task}: AP by size and intensity{f' (thesis, {figure})' if figure else ''}.")


def _segmentation(rows: pd.DataFrame, experiment: str, folder: Path, figure: str) -> list[Picture]:
    mine = rows[(rows["task"] == "segmentation") & (rows["combination"] == ALL)]
    found = []
    for toy in TOYS:
        here = mine[mine["dataset"] == toy].sort_values("ap")
        labels = [label(*row) for row in zip(here["scorer"], here["detector_settings"], here["masked"], strict=True)]
        name = f"{experiment}_segmentation_{toy}.png"
        theirs = {
            (c.score, c.masked): c.value for c in CLAIMS if (c.experiment, c.task, c.dataset) == (experiment, "segmentation", toy)
        }
        keys = zip(here["scorer"], here["masked"], here["detector_settings"], strict=True)
        marks = np.array([theirs.get((scorer, masked), np.nan) if not settings else np.nan for scorer, masked, settings in keys])
        charts.bars(
            here, labels, f"Segmentation of {toy} (thesis, {figure})", folder / name, here["prevalence"].to_numpy(), marks
        )
        found.append(Picture(name, f"Every map on {toy}: mAP with its interval over subjects."))
    return found


def _bars(rows: pd.DataFrame, labels: list[str], title: str, path: Path, claim: tuple[str, str, str]) -> None:
    """Bars of combinations with the thesis's values of `claim` (experiment, task, score) where it gives them."""
    theirs = {c.combination: c.value for c in CLAIMS if (c.experiment, c.task, c.score) == claim and c.score != DETECTORS}
    charts.bars(rows, labels, title, path, rows["prevalence"].to_numpy(), rows["combination"].map(theirs).to_numpy(float))
