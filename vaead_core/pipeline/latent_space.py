"""The healthy latents of a checkpoint: their principal directions, who is near whom, how unusual a new slice is among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from threadpoolctl import threadpool_limits

from vaead_core.checkpoints.checkpoint import Checkpoint, Latents
from vaead_core.detectors.latent_detector import fit_latent_detector
from vaead_core.detectors.preparation import FittedPreparation, LatentPreparation
from vaead_core.measures.folds import leave_out
from vaead_core.scans.volume import Array

Standardise = Literal["global", "position"]
COMPONENTS = 8
FOLDS = 4
COMPARED_ROWS = 150
FAR_PERCENTILE = 95


@dataclass(frozen=True)
class Neighbours:
    """index: (n,) rows of the healthy latents, nearest first. distance: (n,) Euclidean, of standardised latents."""

    index: Array
    distance: Array


@dataclass(frozen=True)
class LatentSpace:
    """Healthy latents (N, L) at slice positions (N,), each of a subject (N,), and their principal components.

    Rows are latents standardised by `preparation`. centre: (L,) their mean. axes: (C, L) unit directions. spread: (C,)
    standard deviation along each. share: (C,) of the whole variance.
    """

    latents: Array
    position: Array
    subject: Array
    preparation: FittedPreparation
    rows: Array
    centre: Array
    axes: Array
    spread: Array
    share: Array

    @staticmethod
    def of(healthy: Latents, standardise: Standardise = "global") -> LatentSpace:
        """Principal components by singular values. standardise: as in LatentPreparation.

        An axis points to where its largest loading is positive, so that pictures do not flip between machines.
        """
        latents, position = healthy.mean.astype(np.float32), healthy.position.astype(int)
        preparation = LatentPreparation(standardise).fit(latents, position)
        rows = preparation.to_rows(latents, position)
        centre = rows.mean(0)
        with threadpool_limits(1):  # so small that threads wait for each other longer than they work
            _, values, axes = np.linalg.svd(rows - centre, full_matrices=False)
        axes *= np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(1)])[:, None]
        variance = values**2 / max(1, len(rows) - 1)
        kept = slice(min(COMPONENTS, int((values > 1e-9 * values[0]).sum())))
        spread, share = np.sqrt(variance[kept]), (variance / variance.sum())[kept]
        return LatentSpace(latents, position, healthy.subject.astype(int), preparation, rows, centre, axes[kept], spread, share)

    def coordinates(self, latents: Array, position: Array) -> Array:
        """(M, C): latents (M, L) of slices at positions (M,) along the axes, from the healthy centre."""
        return (self.preparation.to_rows(latents, position) - self.centre) @ self.axes.T

    def nearest(self, latent: Array, place: int, count: int) -> Neighbours:
        """The `count` healthy slices nearest to the latent (L,) of a slice at position `place`."""
        row = self.preparation.to_rows(latent[None], np.array([place]))[0]
        distance = np.linalg.norm(self.rows - row, axis=1)
        index = np.argsort(distance, kind="stable")[:count]
        return Neighbours(index, distance[index])

    def along(self, latent: Array, place: int, component: int, steps: Array) -> Array:
        """(S, L) float32: the latent (L,) of a slice moved by `steps` (S,) standard deviations along a component."""
        at = int(np.clip(place - self.preparation.first, 0, len(self.preparation.deviation) - 1))
        direction = self.spread[component] * self.axes[component] * self.preparation.deviation[at]
        return (latent + np.asarray(steps)[:, None] * direction).astype(np.float32)


def colours(checkpoint: Checkpoint) -> dict[str, Array]:
    """What is known of each healthy latent, by its name: (N,) numbers. Age is there where the checkpoint holds everyone's."""
    position, subject = checkpoint.latents.position.astype(int), checkpoint.latents.subject.astype(int)
    ages = checkpoint.provenance.source.ages.get("train", (None,))
    return {"Slice position": position, "Subject": subject} | (
        {} if None in ages or not ages else {"Age": np.array(ages)[subject]}
    )


def between(start: Array, end: Array, steps: Array) -> Array:
    """(S, L) float32 on the straight line from latent `start` (step 0) to `end` (step 1), both (L,)."""
    return (start + np.asarray(steps)[:, None] * (end - start)).astype(np.float32)


def outlier_scores(name: str, space: LatentSpace, standardise: Standardise, latents: Array, position: Array) -> Array:
    """(M,) float32: the detector `name`, fitted to all healthy latents, on latents (M, L); higher = more abnormal."""
    detector = fit_latent_detector(name, space.latents, space.position, LatentPreparation(standardise))
    return detector.score(latents, position)


def healthy_outlier_scores(name: str, space: LatentSpace, standardise: Standardise) -> Array:
    """(N,) float32: what each healthy latent scores by the detector `name` fitted to other subjects' (in FOLDS folds)."""
    scores = np.zeros(len(space.latents), np.float32)
    for left_out, others in leave_out(space.subject, FOLDS):
        detector = fit_latent_detector(name, space.latents[others], space.position[others], LatentPreparation(standardise))
        scores[left_out] = detector.score(space.latents[left_out], space.position[left_out])
    return scores


def percentiles_nearby(
    scores: Array, position: Array, healthy: Array, healthy_position: Array, rows: int = COMPARED_ROWS
) -> Array:
    """(M,) share (0 to 100) of healthy scores at or below each of `scores`, among the `rows` healthy slices nearest in position.

    Slices of one place are compared with each other: latents differ more from place to place than from brain to brain.
    """
    found = np.zeros(len(scores))
    for row, (score, place) in enumerate(zip(scores, position, strict=True)):
        near = np.argsort(np.abs(healthy_position - place), kind="stable")[:rows]
        found[row] = 100 * np.mean(healthy[near] <= score)
    return found


def warnings(percentiles: Array) -> list[str]:
    """A sentence where half of a scan's slices (M,) score beyond nearly all healthy ones, which no lesion explains."""
    if np.median(percentiles) < FAR_PERCENTILE:
        return []
    return [
        f"Half of this scan's slices score beyond {FAR_PERCENTILE} % of healthy ones: more than a lesion does. Another scanner, "
        "contrast or skull-stripping looks like that, and so does a synthetic brain beside real ones."
    ]
