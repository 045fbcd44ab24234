"""The recorded table of the read-out: each measure's mean over subjects, its 95 % interval, and chance."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pandas as pd

from vaead_core.experiments.readout import HEALTHY, Reading
from vaead_core.experiments.records import ALL
from vaead_core.measures.metrics import interval_over_subjects

COLUMNS = (
    "experiment", "measure", "scorer", "threshold", "dataset", "size", "subject_count", "count", "value", "low", "high", "twin",
    "checkpoint", "seed",
)  # fmt: skip
_GROUP = ["measure", "scorer", "threshold", "dataset", "size", "checkpoint", "seed"]


def table(experiment: str, readings: list[Reading]) -> pd.DataFrame:
    """One row a measure, scorer, threshold, kind of lesion and size, and one with "all" for kinds and for sizes together.

    value: a subject's ratio of summed values to summed counts, then the mean over subjects; low, high: its interval over
    them. twin: the same of the brains before they were painted. count: all that was counted, over subjects.
    """
    single = pd.DataFrame([asdict(one) for one in readings])
    every = pd.concat([single, single[single["dataset"] != HEALTHY].assign(dataset=ALL)])
    every = pd.concat([every, every[every["size"] != ALL].assign(size=ALL)])
    by_subject = every.groupby([*_GROUP, "subject"], as_index=False)[["value", "count", "twin"]]
    sums = by_subject.agg(lambda column: column.sum(skipna=False))
    rows = []
    for key, group in sums.groupby(_GROUP, sort=True):
        group = group.sort_values("subject")
        ratios, twins = (group[name].to_numpy() / group["count"].to_numpy() for name in ("value", "twin"))
        low, high = interval_over_subjects(ratios)
        numbers = {"value": np.mean(ratios), "low": low, "high": high, "twin": np.mean(twins)}
        counted = {"subject_count": len(group), "count": int(group["count"].sum())}
        rows.append(dict(zip(_GROUP, key, strict=True)) | numbers | counted)
    return pd.DataFrame(rows).assign(experiment=experiment)[list(COLUMNS)]
