"""What healthy brains score: thresholds, distributions and the reference at each place, from held-out subjects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vaead_core import scorers
from vaead_core.inference.model import Memory, Model
from vaead_core.inference.reference import PlaceStatistics, Reference
from vaead_core.measures.aggregates import AGGREGATES, aggregate
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
    """

    pixels: Array
    images: dict[str, Array]
    scans: dict[str, Array]

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


def training_reference(model: Model, train: Slices, depth: int) -> Reference:
    """What needs no network, from training brains: there are more of them."""
    return _reference(model, {name: base for name, base in quantities(model).items() if not base.uses_network}, train, depth)


def healthy_reference(model: Model, training: Reference, held_out: Slices, depth: int) -> Reference:
    """`training`, and from held-out brains what the network makes: its residuals of training brains are too small."""
    ours = _reference(model, {name: base for name, base in quantities(model).items() if base.uses_network}, held_out, depth)
    return Reference(training.places | ours.places)


def _reference(model: Model, bases: dict[str, PixelScorer], slices: Slices, depth: int) -> Reference:
    return Reference({name: PlaceStatistics.of(base.score_map(model, slices), slices, depth) for name, base in bases.items()})


def calibrate(model: Model, train: Slices, held_out: Slices, subject: Array, depth: int) -> tuple[Reference, Calibration]:
    """The reference of all held-out brains, and what healthy brains score against a reference without themselves.

    subject: (N,) int, whose each held-out image is. Subjects are scored fold by fold (leave one out up to
    FOLDS subjects), so that thresholds are not those of brains the reference has seen. Scorers made of others come last, and
    are given what those score.
    """
    known = scorers.scorers_of(model)
    fused = [name for name, kind in known.items() if kind.needs.members]
    training = training_reference(model, train, depth)
    found: Calibration = {}
    for names in ([name for name in known if name not in fused], fused):
        found |= _cross_fitted(model, training, names, held_out, subject, depth, found)
    return healthy_reference(model, training, held_out, depth), {name: found[name] for name in known}


def _cross_fitted(
    model: Model, training: Reference, names: list[str], held_out: Slices, subject: Array, depth: int, before: Calibration
) -> Calibration:
    found: dict[str, list[tuple[Array, Array]]] = {name: [] for name in names}
    pixels: dict[str, list[Array]] = {name: [] for name in names}
    healthy = {name: one.pixels for name, one in before.items()}
    for inside, outside in leave_out(subject, FOLDS) if names else ():
        others, left_out = model.subset(held_out, outside), model.subset(held_out, inside)
        against = model.with_reference(healthy_reference(model, training, others, depth), healthy)
        for name in names:
            values, in_brain = _score(against, name, left_out)
            found[name].append((values, subject[inside]))
            pixels[name].append(in_brain)
    return {name: _summary(found[name], np.concatenate(pixels[name])) for name in names}


def _score(model: Model, name: str, slices: Slices) -> tuple[Array, Array]:
    """(N, aggregates) values and every brain pixel (empty for an image scorer)."""
    scorer = scorers.build(name)
    if isinstance(scorer, scorers.ImageScorer):
        return np.repeat(scorer.score(model, slices)[:, None], len(AGGREGATES), 1), np.zeros(0, np.float32)
    maps = scorers.abnormality(name, scorer.score_map(model, slices))
    return np.stack(list(aggregate(maps, slices.mask).values()), 1), maps[slices.mask]


def _columns(values: Array) -> dict[str, Array]:
    return {name: values[:, column] for column, name in enumerate(AGGREGATES)}


def _summary(parts: list[tuple[Array, Array]], pixels: Array) -> ScorerCalibration:
    values = np.concatenate([part for part, _ in parts])
    subject = np.concatenate([people for _, people in parts])
    scans = np.stack([values[subject == person].mean(0) for person in np.unique(subject)])
    images = {name: np.sort(column) for name, column in _columns(values).items()}
    quantiles = np.quantile(pixels, np.linspace(0, 1, _QUANTILES)) if pixels.size else pixels
    ordered = {name: np.sort(column) for name, column in _columns(scans).items()}
    return ScorerCalibration(quantiles.astype(np.float32), images, ordered)
