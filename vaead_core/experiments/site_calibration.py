"""How many healthy scans a site needs: thresholds from a few of its scans, and what they mark in the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from vaead_core.checkpoints.calibration import RATES, HealthyBrain, ScorerCalibration, summary
from vaead_core.checkpoints.search import opened
from vaead_core.cohorts import open_cohort
from vaead_core.experiments.subjects import prepared
from vaead_core.pipeline.scoring import Scale
from vaead_core.pipeline.site_calibration import healthy_values
from vaead_core.scans.volume import Array

COUNTS = (1, 2, 3, 5, 8, 12, 20)  # of calibration scans, as far as there are so many healthy people and one more
SUBJECTS = 30  # of a site: all of its healthy people that fit, then others, who are judged alone
DRAWS = 40  # of which scans these are
TRAINING_SITE = 0  # as a count: the checkpoint's own thresholds


@dataclass(frozen=True)
class SiteBrain:
    """What one scorer made of one brain on one scale.

    quantiles: 1001 of the map in the brain, evenly spaced. shipped: at each of RATES, the share above the checkpoint's own
    threshold. healthy: whether the scan may calibrate.
    """

    scorer: str
    scale: Scale
    site: str
    subject: str
    healthy: bool
    quantiles: list[float]
    shipped: list[float]
    checkpoint: str
    seed: int


@dataclass(frozen=True)
class SitePart:
    """One subject of a site through one checkpoint. healthy: whether it may calibrate."""

    checkpoint: str
    source: str
    subject: str
    seed: int
    scorers: tuple[str, ...]
    healthy: bool

    def measure(self) -> list[SiteBrain]:
        """Every scorer on both scales, where it has both."""
        checkpoint = opened(self.checkpoint)
        brains = healthy_values(checkpoint, prepared(self.source, self.subject, self.checkpoint), list(self.scorers))
        about = Path(self.source).name, self.subject, self.healthy
        found = []
        for name, (plain, own) in brains.items():
            known = checkpoint.calibration[name]
            of_scales: dict[Scale, tuple[HealthyBrain | None, ScorerCalibration | None]]
            of_scales = {"healthy": (plain, known), "scan": (own, known.scaled)}
            for scale, (brain, shipped) in of_scales.items():
                if brain and shipped:
                    above = [summary([brain]).rate(shipped.threshold(rate)) for rate in RATES]
                    values = brain.pixels.tolist()
                    found.append(SiteBrain(name, scale, *about, values, above, checkpoint.name, self.seed))
        return found


def parts_of(checkpoint: str, source: str, seed: int, scorers: tuple[str, ...], most: int | None) -> list[SitePart]:
    """Of the subjects of a cohort: the healthy ones, and the first of the others up to `most`, else SUBJECTS."""
    people = open_cohort(source).subjects
    parts = [SitePart(checkpoint, source, one.id, seed, scorers, one.control is not False) for one in people]
    return sorted(parts, key=lambda part: not part.healthy)[: most or SUBJECTS]


COLUMNS = (
    "experiment", "scorer", "scale", "threshold", "site", "scans", "draws", "subject_count", "median", "low", "high", "p90",
    "checkpoint", "seed",
)  # fmt: skip


def table(experiment: str, rows: list[SiteBrain]) -> pd.DataFrame:
    """One row a scorer, scale, site, number of scans and threshold: what the threshold marks in the site's other brains.

    median, p90: over those, in the mean over draws. low, high: between which the median lies in 90 % of the draws. `scans` 0 is
    the checkpoint's own threshold.
    """
    groups: dict[tuple[Any, ...], list[SiteBrain]] = {}
    for row in rows:
        groups.setdefault((row.scorer, row.scale, row.site, row.checkpoint, row.seed), []).append(row)
    found = []
    for (scorer, scale, site, checkpoint, seed), brains in sorted(groups.items()):
        names = {"scorer": scorer, "scale": scale, "site": site, "checkpoint": checkpoint, "seed": seed}
        for count, shares in _by_count(brains, seed):
            medians, tails = np.median(shares, axis=2), np.quantile(shares, 0.9, axis=2)
            for at, rate in enumerate(RATES):
                low, high = np.quantile(medians[:, at], (0.05, 0.95))
                numbers = {"median": medians[:, at].mean(), "low": low, "high": high, "p90": tails[:, at].mean()}
                numbers |= {"scans": count, "draws": len(shares), "subject_count": shares.shape[2], "threshold": rate}
                found.append(names | numbers)
    return pd.DataFrame(found).assign(experiment=experiment)[list(COLUMNS)]


def _by_count(brains: list[SiteBrain], seed: int) -> Iterator[tuple[int, Array]]:
    """Number of calibration scans, and (draws, RATES, other brains) what their thresholds mark."""
    yield TRAINING_SITE, np.array([one.shipped for one in brains]).T[None]
    single = [summary([HealthyBrain(np.zeros((1, 4)), np.array(one.quantiles))]) for one in brains]
    able = [at for at, one in enumerate(brains) if one.healthy]
    for count in (count for count in COUNTS if count <= len(able) and count < len(brains)):
        rng = np.random.default_rng([seed, count])  # the same people for every scorer
        shares = []
        for _ in range(DRAWS):
            drawn = set(rng.choice(able, count, replace=False).tolist())
            pooled = summary([HealthyBrain(np.zeros((1, 4)), np.array(brains[at].quantiles)) for at in drawn])
            others = [one for at, one in enumerate(single) if at not in drawn]
            shares.append([[one.rate(pooled.threshold(rate)) for one in others] for rate in RATES])
        yield count, np.array(shares)
