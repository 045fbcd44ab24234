"""`python -m benchmarks.untaken`: maps without a network that were tried and not taken, beside what they were to better.

mirror at the midline: intensity, smoothed by 4 pixels, minus its mirror image, as `dark_asymmetry` has it. mirror laid on
the brain: the same after a smooth field lays the mirrored brain on the brain, by demons (Thirion 1998; Raina et al. 2019
register reflections so). top-hat: how much darker than what surrounds it, in deviations of the scan's own white matter,
where the atlas's label says white matter. darker side, in white matter: that of the voxel atlas, smoothed a little, where
healthy brains are as bright as white matter. All but the top-hat count in healthy deviations of the training brains.
Lesions are painted into validation subjects of the checkpoint and into people of a scanner that it never saw; no test
subject and no patient is looked at. Rows go to results/untaken.csv, of which the command prints the means.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import SimpleITK as sitk
from scipy import ndimage

from vaead_core.checkpoints.search import opened
from vaead_core.cohorts import open_cohort
from vaead_core.computing.whole_file import write_whole
from vaead_core.experiments.painted import KINDS, paint
from vaead_core.experiments.records import ALL
from vaead_core.experiments.report.wording import bullets, markdown_table
from vaead_core.experiments.shift import LESIONS, other_sites
from vaead_core.experiments.subjects import measured, prepared, prepared_brain
from vaead_core.inference.reference import PlaceStatistics
from vaead_core.measures.metrics import detection, interval_over_subjects
from vaead_core.measures.smoothing import gaussian
from vaead_core.scans import atlas
from vaead_core.scans.slice_grid import SliceGrid
from vaead_core.scans.standardisation import STANDARD, tissues_on
from vaead_core.scans.volume import Array, Slices
from vaead_core.scorers.wrappers import mirrored

RECORD = Path(__file__).resolve().parents[1] / "results" / "untaken.csv"
FOREIGN_SUBJECTS = 12
AGAINST = {
    "mirror laid on the brain, darker side": "mirror at the midline, darker side",
    "darker side, in white matter": "voxel atlas, darker side",
}
_SMOOTH_PIXELS = 4.0  # of both asymmetries
_FIELD_MM = 12.0  # deviation of the Gaussian that the field is smoothed by; of 6, 8, 12 and 16 the best
_USUAL = (-0.5, 0.55)  # bounds of the intensities that the field follows
_FLUID = -0.35  # what a brain lies in while the field is found
_STEPS = 15  # at voxels of 8 mm, and again at 4
_TOP_HAT_PIXELS = 3
_BRIGHT = float(np.mean(STANDARD[1:]))  # midway between grey and white matter


def at_the_midline(slices: Slices) -> Array:
    """(N, H, W): smoothed intensity minus its mirror image; 0 where that is not brain."""
    smooth = gaussian(slices.pixels, slices.mask, _SMOOTH_PIXELS)
    return np.where(slices.mask & mirrored(slices.mask), smooth - mirrored(smooth), 0)


def laid_on_the_brain(slices: Slices) -> Array:
    """(N, H, W): smoothed intensity minus that at the same anatomy of the other hemisphere; 0 where there is none."""
    smooth = gaussian(slices.pixels, slices.mask, _SMOOTH_PIXELS)
    field = _field(slices)
    within, other = (_moved(mirrored(_volume(part, slices)), field, slices) for part in (np.ones_like(smooth), smooth))
    return np.where(slices.mask & (within > 0.5), smooth - other / np.maximum(within, 0.5), 0)


def _field(slices: Slices) -> sitk.Transform:
    """From places of the brain to those of its mirror image, in voxels of the slices."""
    brain = _volume(np.clip(slices.pixels, *_USUAL) - _FLUID, slices)
    fixed, moving = map(sitk.GetImageFromArray, (brain, mirrored(brain)))
    field = None
    for shrink in (4, 2):
        one, other = (sitk.BinShrink(image, [shrink] * 3) for image in (fixed, moving))
        demons = sitk.FastSymmetricForcesDemonsRegistrationFilter()
        demons.SetNumberOfWorkUnits(1)
        demons.SetNumberOfIterations(_STEPS)
        demons.SetStandardDeviations(_FIELD_MM / (2 * shrink))
        demons.SetSmoothUpdateField(True)
        demons.SetUpdateFieldStandardDeviations(2 / shrink)
        if field is None:
            field = demons.Execute(one, other)
        else:
            start = sitk.Resample(field, one, sitk.Transform(), sitk.sitkLinear, 0.0, field.GetPixelID())
            field = demons.Execute(one, other, start)
    return sitk.DisplacementFieldTransform(sitk.Cast(field, sitk.sitkVectorFloat64))


def _volume(values: Array, slices: Slices) -> Array:
    """(K, H, W) float32: `values` (N, H, W) in the brain, each at its position, 0 elsewhere."""
    volume = np.zeros((slices.position.max() + 1, *values.shape[1:]), np.float32)
    volume[slices.position] = values * slices.mask
    return volume


def _moved(volume: Array, field: sitk.Transform, slices: Slices) -> Array:
    image = sitk.GetImageFromArray(volume)
    return sitk.GetArrayFromImage(sitk.Resample(image, image, field, sitk.sitkLinear, 0.0))[slices.position]


def top_hat(white: Array, slices: Slices) -> Array:
    """(N, H, W): what closing by a ball fills, in deviations of the scan's own white matter; 0 outside it. white: (N, H, W)."""
    inside = white & slices.mask
    middle = np.median(slices.pixels[inside])
    deviation = 1.4826 * np.median(np.abs(slices.pixels[inside] - middle))
    fallen = _volume(np.where(inside, slices.pixels - middle, 0), slices)
    ball = ndimage.iterate_structure(ndimage.generate_binary_structure(3, 1), _TOP_HAT_PIXELS)
    return np.where(inside, ndimage.black_tophat(fallen, footprint=ball)[slices.position] / deviation, 0)


@lru_cache(maxsize=2)
def _healthy(folder: str, source: str) -> dict[str, PlaceStatistics]:
    """Of the training brains, by the name of what is measured."""
    people = [prepared(source, name, folder) for name in opened(folder).provenance.source.subjects["train"]]
    together, depth = Slices.concatenate(people), _grid(folder).depth
    raw: dict[str, Callable[[Slices], Array]] = {
        "intensity": lambda one: one.pixels, "midline": at_the_midline, "laid": laid_on_the_brain
    }  # fmt: skip
    return {
        name: PlaceStatistics.of(np.concatenate([make(one) for one in people]), together, depth) for name, make in raw.items()
    }


def _grid(folder: str) -> SliceGrid:
    preprocessor = opened(folder).preprocessor
    assert preprocessor is not None, "a checkpoint of brain slices"
    return preprocessor.slice_grid


def maps(folder: str, own: str, slices: Slices) -> Iterator[tuple[str, Array]]:
    """(name, map) of each; higher is less healthy. own: where the training brains lie."""
    healthy, grid = _healthy(folder, own), _grid(folder)
    intensity = healthy["intensity"].z(slices.pixels, slices)
    yield "voxel atlas", np.abs(intensity)
    yield "voxel atlas, darker side", gaussian(-intensity, slices.mask, 1.0)
    bright = healthy["intensity"].mean_of(slices) > _BRIGHT
    yield "darker side, in white matter", np.maximum(gaussian(-intensity, slices.mask, 0.7), 0) * bright
    white = grid.on_slices(ndimage.binary_erosion(tissues_on(grid.spacing_mm) == atlas.WHITE), slices)
    yield "top-hat in white matter", top_hat(white, slices)
    yield "mirror at the midline, darker side", -healthy["midline"].z(at_the_midline(slices), slices)
    yield "mirror laid on the brain, darker side", -healthy["laid"].z(laid_on_the_brain(slices), slices)


def of_subject(folder: str, own: str, source: str, subject: str, kinds: dict[str, list[str]]) -> list[dict[str, Any]]:
    """A row a map and lesion."""
    brain, preprocessor, rows = prepared_brain(source, subject, folder), opened(folder).preprocessor, []
    assert preprocessor is not None, "a checkpoint of brain slices"
    for kind, combinations in kinds.items():
        for combination in combinations:
            case = paint(kind, combination, brain, subject, 0)
            slices = preprocessor.to_slices(case.brain)
            truth = _grid(folder).on_slices(case.truth, slices)[slices.mask]
            for name, values in maps(folder, own, slices):
                found = detection(values[slices.mask], truth)
                which = {"site": Path(source).name, "subject": subject, "kind": kind, "lesion": combination, "map": name}
                rows.append({**which, "ap": round(found.ap, 5), "chance": round(found.prevalence, 6)})
    return rows


def main(folder: str, data: str | None, jobs: int) -> None:
    """Writes RECORD and prints a table of it."""
    own, people = measured(opened(folder), data, "validation")
    darker = {kind: [one for one in names if "brighter" not in one] for kind, names in KINDS.items()}
    work = [(own, name, darker) for name in people]
    for site in other_sites(own, opened(folder)):
        foreign = [one.id for one in open_cohort(site).subjects][:FOREIGN_SUBJECTS]
        work += [(site, name, {kind: [lesion] for kind, lesion in LESIONS.items()}) for name in foreign]
    call = joblib.delayed(partial(of_subject, folder, own))
    table = pd.DataFrame([row for rows in joblib.Parallel(jobs)(call(*one) for one in work) for row in rows])
    write_whole(RECORD, table.to_csv(index=False, lineterminator="\n"))
    print(f"{shown(table)}\n\n{compared(table)}")


def shown(table: pd.DataFrame) -> str:
    """Mean AP of each map by site, by kind and over all kinds, with its interval over subjects, as a Markdown table."""
    people = _by_person(table)
    groups = people.groupby(["site", "kind", "map"], sort=False)
    rows = [(site, kind, name, _with_interval(one["ap"]), f"{one['chance'].mean():.4f}") for (site, kind, name), one in groups]
    return markdown_table(("site", "lesions", "map", "AP", "chance"), rows)


def compared(table: pd.DataFrame) -> str:
    """What was tried minus what it was to better, person by person over all kinds, as Markdown bullets."""
    people = _by_person(table)
    aps = people[people["kind"] == ALL].pivot(index=["site", "subject"], columns="map", values="ap")
    said = [
        f"{site}: {tried} minus {known}, {_with_interval(one[tried] - one[known])}"
        for site, one in aps.groupby("site")
        for tried, known in AGAINST.items()
    ]
    return bullets(*said)


def _by_person(table: pd.DataFrame) -> pd.DataFrame:
    """AP and chance by site, kind, map and subject, and with ALL for the kind their means over the kinds."""
    kinds = table.groupby(["site", "kind", "map", "subject"], sort=False, as_index=False)[["ap", "chance"]].mean()
    every = kinds.groupby(["site", "map", "subject"], sort=False, as_index=False)[["ap", "chance"]].mean()
    return pd.concat([kinds, every.assign(kind=ALL)], ignore_index=True)


def _with_interval(values: pd.Series) -> str:
    low, high = interval_over_subjects(values.to_numpy())
    return f"{values.mean():.3f} [{low:.3f}, {high:.3f}]"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", default="checkpoints/brain-slices-2mm")
    parser.add_argument("--data", help="the scans that it was trained on; default: found by the name it holds")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    main(options.checkpoint, options.data, options.jobs)
