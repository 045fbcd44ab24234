"""Every experiment by name: what it measures, on which checkpoints."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from vaead_core import detectors, scorers
from vaead_core.anomalies.toys.datasets import DATASETS
from vaead_core.checkpoints.checkpoint import find_checkpoints
from vaead_core.checkpoints.search import named, opened, shipped
from vaead_core.cohorts import open_cohort
from vaead_core.errors import InputError
from vaead_core.experiments import ablations, fashion, lesion_facts, lesions, painted, readout, readout_table, shift, subjects
from vaead_core.experiments import site_calibration as sites
from vaead_core.experiments.request import Experiment, Request
from vaead_core.experiments.scanner_changes import AS_IT_IS, CHANGES
from vaead_core.experiments.toy_scans import Choice, ToyPart, all_detectors

STAGES = (1, 2, 3, 4)
PREPARATIONS: tuple[dict[str, Any], ...] = ({"standardise": "global"}, {"standardise": "position"})
SMOOTHING = ("gaussian_mm", 4)  # chosen on two validation subjects among 0, 2, 3 and 4 mm, for every map alike
SMOOTHED = ("residual", "normalised_residual", "zscored_activation", "voxel_atlas", "histogram_equalised")


def _every_map(folder: Path) -> tuple[Choice, ...]:
    """Every map scorer that the model has, the thesis's two without a mask, and five smoothed."""
    plain = [(name, ()) for name in scorers.map_scorers(opened(str(folder)).model)]
    unmasked = [(name, (("masked", False),)) for name in ("residual", "activation")]
    return (*plain, *unmasked, *((name, (SMOOTHING,)) for name in SMOOTHED))


def _activation_maps() -> tuple[Choice, ...]:
    staged = [(name, (("stage", stage),)) for name in ("activation", "zscored_activation") for stage in STAGES[1:]]
    return (("activation", ()), ("zscored_activation", ()), *staged, ("residual", ()), ("normalised_residual", ()))


def _toys(
    folders: list[Path], request: Request, maps: tuple[Choice, ...], detectors: tuple[Choice, ...] = (), detect: bool = True
) -> list[ToyPart]:
    parts = []
    for folder in folders:
        checkpoint = opened(str(folder))
        source, people = subjects.measured(checkpoint, request.data, request.part, request.subjects)
        chosen = request.chosen(maps), request.chosen(detectors)
        for subject in people:
            names = request.toys or DATASETS
            parts += [ToyPart(str(folder), source, subject, name, request.seed, *chosen, detect) for name in names]
    return parts


def _slices(folders: list[Path], request: Request) -> list[ToyPart]:
    detectors = tuple(choice for preparation in PREPARATIONS for choice in all_detectors(**preparation))
    return [part for folder in folders for part in _toys([folder], request, _every_map(folder), detectors)]


def _thesis(folders: list[Path], request: Request) -> list[ToyPart]:
    """What the thesis measured on its model, and the baselines that need none."""
    maps = tuple((name, settings) for name in ("residual", "activation") for settings in ((), (("masked", False),)))
    baselines = (("voxel_atlas", ()), ("histogram_equalised", ()))
    return _toys(folders, request, (*maps, *baselines), all_detectors(standardise="global"))


def _patches(folders: list[Path], request: Request) -> list[ToyPart]:
    return [part for folder in folders for part in _toys([folder], request, _every_map(folder), detect=False)]


def _entropy(folders: list[Path], request: Request) -> list[ToyPart]:
    return _toys(folders, request, _activation_maps(), detect=False)


def _background(folders: list[Path], request: Request) -> list[ToyPart]:
    maps = ("residual", "normalised_residual", "voxel_atlas", "histogram_equalised", "activation", "zscored_activation")
    return _toys(folders, request, (*((name, ()) for name in maps), ("residual", (("masked", False),))))


def _choice(folders: list[Path], request: Request) -> list[ToyPart]:
    maps = ("residual", "normalised_residual", "activation", "zscored_activation", "voxel_atlas", "histogram_equalised")
    return _toys(folders, request, tuple((name, ()) for name in maps))


def _fashion(folders: list[Path], request: Request) -> list[fashion.FashionPart]:
    choices: list[Choice] = [(fashion.RECONSTRUCTION, ()), *all_detectors(standardise="global")]
    return [fashion.FashionPart(str(folder), choice) for folder in folders for choice in request.chosen(tuple(choices))]


def _painted(folders: list[Path], request: Request, choices: tuple[Choice, ...] | None = None) -> list[painted.PaintedPart]:
    parts = []
    for folder in folders:
        checkpoint = opened(str(folder))
        source, people = subjects.measured(checkpoint, request.data, request.part, request.subjects)
        maps = request.chosen(painted.every_map(str(folder))) if choices is None else choices
        for subject in people:
            parts += [painted.PaintedPart(str(folder), source, subject, kind, request.seed, maps) for kind in painted.KINDS]
    return parts


def _readout(folders: list[Path], request: Request) -> list[readout.ReadoutPart]:
    parts = []
    for folder in folders:
        checkpoint = opened(str(folder))
        source, people = subjects.measured(checkpoint, request.data, request.part, request.subjects)
        names = tuple(name for name in request.maps(folder) if name in checkpoint.calibration or name in request.scores)
        for subject in people:
            kinds = (readout.HEALTHY, *painted.KINDS)
            parts += [readout.ReadoutPart(str(folder), source, subject, kind, request.seed, names) for kind in kinds]
    return parts


def _ablations(folders: list[Path], request: Request) -> list[Any]:
    parts: list[Any] = []
    for folder in folders:
        shipped = folder.name in EXPERIMENTS["ablations"].defaults
        maps = request.chosen(ablations.maps_of(opened(str(folder)), shipped))
        parts += _toys([folder], replace(request, toys=request.toys or ablations.TOYS), maps, detect=not shipped)
        parts += _painted([folder], request, maps)
    return parts


def _calibrated(folder: Path, request: Request) -> tuple[str, ...]:
    return tuple(name for name in request.maps(folder) if name in opened(str(folder)).calibration)


def _shift(folders: list[Path], request: Request) -> list[shift.ShiftPart]:
    """The checkpoint's own held-out subjects, those of the test after each change, and all subjects of other sites at hand."""
    parts = []
    changes = CHANGES if request.part == "test" else (AS_IT_IS,)
    for folder in folders:
        checkpoint = opened(str(folder))
        own, people = subjects.measured(checkpoint, request.data, request.part, request.subjects)
        about = (request.seed, _calibrated(folder, request))
        parts += [
            shift.ShiftPart(str(folder), own, one, change, *about, False, change == AS_IT_IS)
            for one in people
            for change in changes
        ]
        for site in shift.other_sites(own, checkpoint):
            ids = [one.id for one in open_cohort(site).subjects][: request.subjects]
            some = set(ids[:: max(1, len(ids) // shift.LESION_SUBJECTS)][: shift.LESION_SUBJECTS])
            parts += [shift.ShiftPart(str(folder), site, one, AS_IT_IS, *about, True, one in some) for one in ids]
    return parts


def _site_calibration(folders: list[Path], request: Request) -> list[sites.SitePart]:
    """Subjects of the other sites that are at hand."""
    parts = []
    for folder in folders:
        checkpoint = opened(str(folder))
        for site in shift.other_sites(subjects.source_of(checkpoint, request.data), checkpoint):
            parts += sites.parts_of(str(folder), site, request.seed, _calibrated(folder, request), request.subjects)
    return parts


def _lesions(folders: list[Path], request: Request) -> list[lesions.LesionPart]:
    parts = []
    for folder in folders:
        maps = request.maps(folder)
        parts += [lesions.LesionPart(str(folder), case, lesions.lesion_folder(case), maps) for case in lesions.CASES]
    return parts


EXPERIMENTS = {
    "fashion": Experiment(
        "T-shirts against nine other classes: reconstruction error and 17 outlier detectors.",
        ("fashion-tshirt",), _fashion,
    ),
    "slices": Experiment(
        "Four toy datasets in whole slices: segmentation by every map, detection by every score.",
        ("brain-slices-2mm",), _slices,
    ),
    "patches": Experiment("The same toys through 32 × 32 patches.", ("brain-patches-2mm",), _patches),
    "thesis": Experiment(
        "The thesis's own network and training, literally, at 1 mm: its maps, its scores and its detectors on the same toys.",
        ("thesis-slices",), _thesis,
    ),
    "background": Experiment("Noise, black or mean background: who finds dark, grey and bright toys?", (), _background),
    "entropy": Experiment("Entropy term, size constraint, stems: activation maps of four stages.", (), _entropy),
    "choice": Experiment("Which settings segment toys best on validation subjects.", (), _choice),
    "painted": Experiment(
        "Painted lesions in healthy brains, the middle tier between toys and patients: every map beside chance.",
        ("brain-slices-2mm",), _painted,
    ),
    "readout": Experiment(
        "Maps read at their healthy thresholds: Dice, lesions found by size, false positives a brain, calibration.",
        ("brain-slices-2mm",), _readout, readout.Reading, readout_table.table,
    ),
    "shift": Experiment(
        "Healthy brains of a scanner never seen, and of changed ones: how much is marked, and are lesions found there?",
        ("brain-slices-2mm",), _shift, shift.Shifted, shift.table,
    ),
    "site_calibration": Experiment(
        "Thresholds from a few healthy scans of a scanner never seen: how many are needed, and what do they mark in its others?",
        ("brain-slices-2mm",), _site_calibration, sites.SiteBrain, sites.table,
    ),
    "ablations": Experiment(
        "One change at a time, of a map and of a network: what is each worth on random toys and painted lesions?",
        ("brain-slices-2mm",), _ablations,
    ),
    "lesions": Experiment(
        "Two patients: every map beside chance and baselines.", ("brain-slices-2mm",), _lesions, beside=lesion_facts.record
    ),
}  # fmt: skip


def parts_of(name: str, request: Request) -> tuple[list[Path], list[Any]]:
    """The checkpoints and parts of an experiment. Raises InputError when it cannot be run as asked."""
    if name not in EXPERIMENTS:
        raise InputError(f"There is no experiment {name}; choose among {', '.join(sorted(EXPERIMENTS))}.")
    experiment = EXPERIMENTS[name]
    _check(request)
    given = [folder for path in request.checkpoints for folder in (find_checkpoints(path) or [named(path)])]
    folders = given or [shipped(folder) for folder in experiment.defaults]
    if not folders:
        raise InputError(f"{name} compares models that do not ship; train them and give their folder with --checkpoint.")
    return folders, experiment.parts(folders, request)


def _check(request: Request) -> None:
    for what, names in (("toys", {*DATASETS}), ("scores", {*scorers.SCORERS, *detectors.DETECTORS})):
        for name in getattr(request, what):
            if name not in names:
                raise InputError(f"There is no {what[:-1]} {name}; choose among {', '.join(sorted(names))}.")
    if request.subjects is not None and request.subjects < 1:
        raise InputError(f"An experiment needs 1 subject or more, not {request.subjects}.")
