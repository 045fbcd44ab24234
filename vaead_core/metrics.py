"""How well a map finds the truth: average precision beside its chance level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from vaead_core.volume import Array


@dataclass(frozen=True)
class Detection:
    """ap beside prevalence, the AP of a map that knows nothing; auroc; best (oracle) Dice over all thresholds."""

    ap: float
    prevalence: float
    auroc: float
    best_dice: float


def detection(values: Array, truth: Array) -> Detection:
    """`values` (n,) against `truth` (n,) bool; both kinds must occur, else ValueError."""
    positives = int(truth.sum())
    if not 0 < positives < truth.size:
        raise ValueError("average precision needs both anomalous and normal values")
    order = np.argsort(-values, kind="stable")
    hits = np.cumsum(truth[order])
    last = np.append(np.diff(values[order]) != 0, True)  # thresholds lie between different values only
    dice = 2 * hits[last] / (np.arange(1, truth.size + 1)[last] + positives)
    ap, auroc = average_precision_score(truth, values), roc_auc_score(truth, values)
    return Detection(float(ap), positives / truth.size, float(auroc), float(dice.max()))
