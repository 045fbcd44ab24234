"""The detection limits of one scan, by lesions painted into it; only the slices that they change are scored anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from vaead_core import scorers
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.errors import InputError
from vaead_core.inference.model import Model
from vaead_core.measures.found_lesions import components, found_lesions
from vaead_core.pipeline.limits.lesion_scans import LOOKS, REPEATS, SIZES, LesionScan, lesion_scans
from vaead_core.pipeline.limits.table import Limits, Outcome
from vaead_core.pipeline.planting import rescored
from vaead_core.pipeline.scoring import PreparedScan, Scored, healthy_values_of
from vaead_core.scans.preprocessing import Preprocessor
from vaead_core.scans.volume import Slices

RATES = (0.001, 0.5)  # of healthy voxels above a threshold, least and most


def check(checkpoint: Checkpoint, names: Sequence[str], rate: float, seed: int) -> None:
    """Raises InputError for scorers that the checkpoint does not have, or that have no map, and for numbers that cannot be."""
    for name in names:
        healthy_values_of(checkpoint, name)
        if name not in scorers.map_scorers():
            raise InputError(f"{name} gives an image one value and has no map to find lesions in; choose another scorer.")
    if not RATES[0] <= rate <= RATES[1]:
        raise InputError(f"A rate is a share of healthy voxels from {RATES[0]:g} to {RATES[1]:g}; found {rate:g}.")
    if seed < 0:
        raise InputError(f"A seed is a whole number from 0 on; found {seed}.")


@dataclass(frozen=True)
class ThresholdedMap:
    """A scorer's map of the untouched scan, and the threshold above which its voxels are marked. rate: of healthy ones above."""

    scored: Scored
    threshold: float
    rate: float

    @staticmethod
    def at(scored: Scored, rate: float) -> ThresholdedMap:
        """At the threshold that a share `rate` of healthy voxels exceeds."""
        return ThresholdedMap(scored, scored.healthy.threshold(rate), rate)


@dataclass(frozen=True)
class Progress:
    """done: of `total` lesions. limits: of each method, by those."""

    done: int
    total: int
    limits: tuple[Limits, ...]


def detection_limits(
    prepared: PreparedScan,
    checkpoint: Checkpoint,
    maps: Sequence[ThresholdedMap],
    tell: Callable[[Progress], None],
    seed: int = 0,
    repeats: int = REPEATS,
) -> tuple[Limits, ...]:
    """Of each of `maps`, by all lesions. tell: is given what is known after each of `steps`; what it raises ends the work."""
    known: tuple[Limits, ...] = ()
    for progress in steps(prepared, checkpoint, maps, seed, repeats):
        known = progress.limits
        tell(progress)
    return known


def steps(
    prepared: PreparedScan, checkpoint: Checkpoint, maps: Sequence[ThresholdedMap], seed: int = 0, repeats: int = REPEATS
) -> Iterator[Progress]:
    """What is known of each of `maps`, which are of `prepared` by `checkpoint`, after one scan of lesions and another; once
    where the brain has room for none.

    repeats: lesions of a size and look. Thresholds, and what members of a fusion are compared with, stay those of the untouched
    scan: a single lesion would hardly move them, and many together must not. The same numbers give the same result.
    """
    if checkpoint.preprocessor is None:
        raise ValueError("only scans have detection limits")
    known = tuple(_untouched(one, prepared.slices, checkpoint.preprocessor) for one in maps)
    total = repeats * len(LOOKS) * len(SIZES)
    for scan, left in lesion_scans(prepared, checkpoint.preprocessor, seed, repeats):
        known = tuple(
            replace(limits, outcomes=limits.outcomes + _outcomes(one, scan, prepared.slices, checkpoint.model))
            for limits, one in zip(known, maps, strict=True)
        )
        yield Progress(total - left, total, known)
    if not any(limits.outcomes for limits in known):
        yield Progress(total, total, known)


def _untouched(one: ThresholdedMap, slices: Slices, preprocessor: Preprocessor) -> Limits:
    marked = preprocessor.slice_grid.to_volume((one.scored.abnormality > one.threshold) & slices.mask, slices) > 0
    _, volumes_ml = components(marked, preprocessor.spacing_mm)
    return Limits(one.scored.name, one.rate, one.threshold, len(volumes_ml), ())


def _outcomes(one: ThresholdedMap, scan: LesionScan, slices: Slices, model: Model) -> tuple[Outcome, ...]:
    """A lesion is found where OVERLAP of its voxels are above the threshold that were not above it in the untouched scan."""
    name, before = one.scored.name, one.scored.map_values
    after = rescored(before, name, model.with_healthy(one.scored.members), slices, scan.slices)
    marked, twin = (scorers.abnormality(name, maps) > one.threshold for maps in (after, before))
    count = len(scan.lesions)
    found, marked_before = (found_lesions(these, scan.labels, count) for these in (marked & ~twin, twin))
    return tuple(map(Outcome, scan.lesions, found.tolist(), marked_before.tolist()))
