"""What healthy brains score: thresholds, distributions and the reference at each place, from held-out subjects."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from vaead_core import scorers
from vaead_core.inference.model import Memory, Model
from vaead_core.inference.reference import PlaceStatistics, Reference
from vaead_core.measures.aggregates import AGGREGATES, aggregate
from vaead_core.measures.bulk import Bulk
from vaead_core.measures.folds import leave_out
from vaead_core.scans.volume import Array, Slices
from vaead_core.scorers import PixelScorer

RATES = (0.01, 0.05, 0.10)
FULL_RATE = 0.001  # of healthy pixels above the value that is drawn in full colour
FOLDS = 8
_QUANTILES = 1001


@dataclass(frozen=True)
class ScorerCalibration:
    """Healthy values of one scorer.

    pixels: (1001,) quantiles of the map (of |map| where signed) over brain pixels, empty for an image scorer.
    images, scans: aggregate → sorted values of healthy slices and of healthy scans (mean over a scan's slices).
    scaled: the same of maps that were brought to their own scan's scale by their Bulk; of a scorer made of others, those were.
    None where a map has no such scale, or was not calibrated so.
    """

    pixels: Array
    images: dict[str, Array]
    scans: dict[str, Array]
    scaled: ScorerCalibration | None = None

    def threshold(self, rate: float) -> float:
        """The value that a share `rate` (0 to 1) of healthy brain pixels exceeds."""
        return float(np.interp(1 - rate, np.linspace(0, 1, len(self.pixels)), self.pixels))

    def rate(self, threshold: float) -> float:
        """Share of healthy brain pixels above `threshold`."""
        return 1 - float(np.searchsorted(self.pixels, threshold, "right")) / len(self.pixels)


Calibration = dict[str, ScorerCalibration]


def percentile(value: float, healthy: Array) -> float:
    """Share (0 to 100) of the sorted `healthy` values at or below `value`."""
    return 100 * float(np.searchsorted(healthy, value, "right")) / len(healthy)


def quantities(model: Model) -> dict[str, PixelScorer]:
    """The maps that the registered scorers of `model` measure against healthy brains."""
    asked = [one for kind in scorers.map_scorers(model).values() for one in kind.needs.calibrated]
    return {one.quantity: one.base for one in asked}


def memories(model: Model, train: Slices, depth: int, scans: bool = False) -> dict[str, Memory]:
    """What the scorers of `model` keep of healthy training brains, by their names: float32, rounded to float16.

    scans: also of those that keep the brains' voxels.
    """
    able = [
        kind
        for kind in scorers.SCORERS.values()
        if kind.needs.memory and scorers.lacks(model, kind) in (None, "a memory") and (scans or not kind.needs.keeps_scans)
    ]
    learnt = {str(kind.needs.memory): kind.learn(model, train, depth) for kind in able}
    return {n: {key: kept.astype(np.float16).astype(np.float32) for key, kept in one.items()} for n, one in learnt.items()}


def training_reference(model: Model, train: Slices, depth: int, every: int = 1) -> Reference:
    """What needs no network, from training brains: there are more of them. every: as of PlaceStatistics."""
    plain = {name: base for name, base in quantities(model).items() if not base.uses_network}
    return _reference(model, plain, train, depth, every)


def healthy_reference(model: Model, training: Reference, held_out: Slices, depth: int) -> Reference:
    """`training`, and from held-out brains what the network makes: its residuals of training brains are too small."""
    bases = {name: base for name, base in quantities(model).items() if base.uses_network}
    ours = _reference(model, bases, held_out, depth, training["intensity"].every)
    return Reference(training.places | ours.places)


def _reference(model: Model, bases: dict[str, PixelScorer], slices: Slices, depth: int, every: int) -> Reference:
    maps = {name: base.score_map(model, slices) for name, base in bases.items()}
    return Reference({name: PlaceStatistics.of(values, slices, depth, every) for name, values in maps.items()})


def calibrate(
    model: Model, train: Slices, held_out: Slices, subject: Array, depth: int, every: int = 1
) -> tuple[Reference, Calibration]:
    """The reference of all held-out brains, and what healthy brains score against a reference without themselves.

    subject: (N,) int, whose each held-out image is. every: as of PlaceStatistics. Subjects are scored fold by fold (leave one out
    up to FOLDS subjects), so that thresholds are not those of brains the reference has seen. Scorers made of others come last,
    and are given what those score.
    """
    known = scorers.scorers_of(model)
    fused = [name for name, kind in known.items() if kind.needs.members]
    training = training_reference(model, train, depth, every)
    found: Calibration = {}
    for names in ([name for name in known if name not in fused], fused):
        found |= _cross_fitted(model, training, names, held_out, subject, depth, found)
    return healthy_reference(model, training, held_out, depth), {name: found[name] for name in known}


def healthy_in_scan(model: Model, calibration: Calibration, name: str, slices: Slices) -> dict[str, Array]:
    """`model.healthy` as a scorer made of others needs it for one scan's slices: of its members, on the scan's own scale."""
    healthy = dict(model.healthy)
    for member in scorers.SCORERS[name].needs.members:
        maps = scorers.abnormality(member, scorers.build_map(member).score_map(model, slices))
        healthy[member] = healthy_pixels(member, maps[slices.mask], calibration)
    return healthy


def healthy_pixels(name: str, values: Array, calibration: Calibration) -> Array:
    """(1001,) quantiles of a scorer's map over healthy brains, on the scale of the scan in whose brain it has `values` (n,)."""
    bulk, known = bulk_of(name, values), calibration[name]
    return bulk.own(known.scaled.pixels) if bulk and known.scaled else known.pixels


def bulk_of(name: str, values: Array) -> Bulk | None:
    """Of a scorer's map: of its values (n,) in the brain. None where it has no scale of its own in this scan.

    A scorer made of others reads those on the scan's scale, and has it so.
    """
    kind = scorers.SCORERS[name]
    return Bulk(0.0, 1.0) if kind.needs.members else Bulk.of(values, kind.own_scale)


@dataclass(frozen=True)
class HealthyBrain:
    """What a scorer made of one healthy brain. values: (N, aggregates) of its slices; pixels: (P,) of its brain, or none.

    pixels may be quantiles of those, as many of each brain, and then each brain has the same weight.
    """

    values: Array
    pixels: Array

    @staticmethod
    def of(maps: Array, slices: Slices) -> HealthyBrain:
        return HealthyBrain(np.stack(list(aggregate(maps, slices.mask).values()), 1), maps[slices.mask])

    @property
    def in_quantiles(self) -> HealthyBrain:
        """With 1001 quantiles in place of its pixels, if it has any."""
        return replace(self, pixels=_quantiles(self.pixels))


def _cross_fitted(
    model: Model, training: Reference, names: list[str], held_out: Slices, subject: Array, depth: int, before: Calibration
) -> Calibration:
    plain: dict[str, list[HealthyBrain]] = {name: [] for name in names}
    scaled: dict[str, list[HealthyBrain | None]] = {name: [] for name in names}
    healthy = {name: one.pixels for name, one in before.items()}
    for inside, outside in leave_out(subject, FOLDS) if names else ():
        others = model.subset(held_out, outside)
        against = model.with_reference(healthy_reference(model, training, others, depth), healthy)
        for person in np.unique(subject[inside]):
            brain = model.subset(held_out, subject == person)
            for name in names:
                found, on_own_scale = healthy_brain(against, name, brain, before)
                plain[name].append(found)
                scaled[name].append(on_own_scale)
    return {name: replace(summary(plain[name]), scaled=summary_of_all(scaled[name])) for name in names}


def healthy_brain(model: Model, name: str, slices: Slices, members: Calibration) -> tuple[HealthyBrain, HealthyBrain | None]:
    """As it is, and on the brain's own scale, where it has one."""
    scorer = scorers.build(name)
    if isinstance(scorer, scorers.ImageScorer):
        return HealthyBrain(np.repeat(scorer.score(model, slices)[:, None], len(AGGREGATES), 1), np.zeros(0, np.float32)), None
    maps = scorers.abnormality(name, scorer.score_map(model, slices))
    plain = HealthyBrain.of(maps, slices)
    if scorer.needs.members:
        own = model.with_healthy(healthy_in_scan(model, members, name, slices))
        maps = scorers.abnormality(name, scorer.score_map(own, slices))
    bulk = bulk_of(name, maps[slices.mask])
    return plain, HealthyBrain.of(bulk.scaled(maps), slices) if bulk else None


def _columns(values: Array) -> dict[str, Array]:
    return {name: values[:, column] for column, name in enumerate(AGGREGATES)}


def summary(brains: list[HealthyBrain]) -> ScorerCalibration:
    """What one scorer made of healthy brains."""
    values = np.concatenate([brain.values for brain in brains])
    pixels = np.concatenate([brain.pixels for brain in brains])
    images = {name: np.sort(column) for name, column in _columns(values).items()}
    scans = {name: np.sort(column) for name, column in _columns(np.stack([brain.values.mean(0) for brain in brains])).items()}
    return ScorerCalibration(_quantiles(pixels), images, scans)


def _quantiles(pixels: Array) -> Array:
    return (np.quantile(pixels, np.linspace(0, 1, _QUANTILES)) if pixels.size else pixels).astype(np.float32)


def summary_of_all(brains: list[HealthyBrain | None]) -> ScorerCalibration | None:
    """None where one of them has no scale of its own."""
    known = [brain for brain in brains if brain]
    return summary(known) if len(known) == len(brains) else None
