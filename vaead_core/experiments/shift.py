"""Healthy brains of scanners that a model never saw: how much of them is marked, and how well lesions are found in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from vaead_core.checkpoints.calibration import RATES
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.checkpoints.search import opened
from vaead_core.cohorts import open_cohort
from vaead_core.cohorts.locations import find_data
from vaead_core.experiments import painted
from vaead_core.experiments.scanner_changes import changed
from vaead_core.experiments.subjects import judging, scan_of
from vaead_core.measures.metrics import detection, interval_over_subjects
from vaead_core.pipeline.scoring import PreparedScan, Scale, score
from vaead_core.scans.preprocessing import Preprocessor
from vaead_core.scans.volume import Brain

SITES = ("ixi", "ds002748")  # cohorts of one scanner each
LESIONS = {"white_matter": "20% darker", "cortical": "20% darker", "mass": "20% darker", "atrophy": "4 mm wider"}
LESION_SUBJECTS = 12  # of a site, into whose brains lesions are painted
SCALES: tuple[Scale, ...] = ("scan", "healthy")


def other_sites(own: str, checkpoint: Checkpoint) -> list[str]:
    """The cohorts at hand of scanners that a checkpoint of the cohort `own` never saw, by its subjects."""
    seen = {subject for part in checkpoint.provenance.source.subjects.values() for subject in part}
    return [site for site in _sites() if Path(site).name != Path(own).name and _people(site).isdisjoint(seen)]


def site_of(source: str, subject: str) -> str:
    """The name of the cohort of one scanner that a subject of `source` is of: another one where `source` joins several."""
    return Path(next((site for site in _sites() if subject in _people(site)), source)).name


def _sites() -> list[str]:
    return [str(found) for site in SITES if (found := find_data(site))]


@lru_cache
def _people(site: str) -> frozenset[str]:
    return frozenset(subject.id for subject in open_cohort(site).subjects)


@dataclass(frozen=True)
class Shifted:
    """One measure of one scorer in one brain.

    measure: marked (share of the brain above the threshold that `threshold` of healthy brains exceed) or ap (of a painted
    lesion, whose kind is `change`). scale: on which a map is read. site: whose brain it is; foreign: the model saw none of
    it. chance: what healthy brains of the training site show, or the lesion's share of the brain.
    """

    measure: str
    scorer: str
    scale: str
    threshold: float
    site: str
    foreign: bool
    change: str
    subject: str
    value: float
    chance: float
    checkpoint: str
    seed: int


@dataclass(frozen=True)
class ShiftPart:
    """One subject through one checkpoint after a change of CHANGES. foreign: the model saw none of its site.

    lesions: also painted into it.
    """

    checkpoint: str
    source: str
    subject: str
    change: str
    seed: int
    scorers: tuple[str, ...]
    foreign: bool = False
    lesions: bool = False

    def measure(self) -> list[Shifted]:
        """Every scorer on both scales."""
        checkpoint = judging(self.checkpoint, self.source, self.subject)
        preprocessor = checkpoint.preprocessor
        if preprocessor is None:
            raise ValueError("scanners differ in scans")
        brain = preprocessor.to_brain(changed(scan_of(self.source, self.subject, self.checkpoint), self.change))
        found = list(self._marked(checkpoint, PreparedScan(brain, preprocessor.to_slices(brain))))
        return [*found, *self._found(checkpoint, preprocessor, brain)] if self.lesions else found

    def _marked(self, checkpoint: Checkpoint, prepared: PreparedScan) -> Iterator[Shifted]:
        for name in self.scorers:
            for scale in SCALES:
                one = score(prepared, checkpoint, name, scale)
                values = one.abnormality[prepared.slices.mask]
                for rate in RATES:
                    share = float((values > one.thresholds[rate]).mean())
                    yield self._shifted("marked", name, scale, rate, self.change, share, rate)

    def _found(self, checkpoint: Checkpoint, preprocessor: Preprocessor, brain: Brain) -> Iterator[Shifted]:
        for kind, combination in LESIONS.items():
            case = painted.paint(kind, combination, brain, self.subject, self.seed)
            slices = preprocessor.to_slices(case.brain)
            truth = preprocessor.slice_grid.on_slices(case.truth, slices)[slices.mask]
            for name in self.scorers:
                for scale in SCALES:
                    one = score(PreparedScan(case.brain, slices), checkpoint, name, scale)
                    found = detection(one.abnormality[slices.mask], truth)
                    yield self._shifted("ap", name, scale, np.nan, f"{kind} {combination}", found.ap, found.prevalence)

    def _shifted(
        self, measure: str, scorer: str, scale: str, threshold: float, change: str, value: float, chance: float
    ) -> Shifted:
        site, name = site_of(self.source, self.subject), opened(self.checkpoint).name
        return Shifted(
            measure, scorer, scale, threshold, site, self.foreign, change, self.subject, value, chance, name, self.seed
        )


COLUMNS = (
    "experiment", "measure", "scorer", "scale", "threshold", "site", "foreign", "change", "subject_count", "median", "p90",
    "mean", "low", "high", "chance", "checkpoint", "seed",
)  # fmt: skip
_GROUP = ["measure", "scorer", "scale", "threshold", "site", "foreign", "change", "checkpoint", "seed"]


def table(experiment: str, rows: list[Shifted]) -> pd.DataFrame:
    """One row a measure, scorer, scale, threshold, site and change: median, 90th percentile and mean over subjects, the mean's
    95 % interval, and chance. The lesions of all kinds stand together too, as "every lesion"."""
    single = pd.DataFrame([asdict(one) for one in rows])
    every = single[single["measure"] == "ap"].assign(change="every lesion")
    found: list[dict[str, Any]] = []
    for key, group in pd.concat([single, every]).groupby(_GROUP, sort=True, dropna=False):
        by_subject = group.groupby("subject")[["value", "chance"]].mean()
        values = by_subject["value"].to_numpy()
        low, high = interval_over_subjects(values)
        numbers = {"median": np.median(values), "p90": np.quantile(values, 0.9), "mean": values.mean(), "low": low, "high": high}
        numbers |= {"subject_count": len(values), "chance": by_subject["chance"].mean()}
        found.append(dict(zip(_GROUP, key, strict=True)) | numbers)
    return pd.DataFrame(found).assign(experiment=experiment)[list(COLUMNS)]
