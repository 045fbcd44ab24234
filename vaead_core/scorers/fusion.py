"""Several maps as one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vaead_core import scorers
from vaead_core.inference.model import Model
from vaead_core.scans.volume import Array, Slices
from vaead_core.scorers import MapScorer, Needs, masked_to_brain, register

MEMBERS = ("segmenter", "smoothed_residual", "normalised_residual", "asymmetry")
WEIGHTS = {"segmenter": 1.308, "denoised_residual": 1.247, "dark_asymmetry": 0.433, "voxel_atlas": 0.7, "asymmetry": 0.347}
INTERCEPT = -3.163  # both are what `python -m training.fusion_weights` fits to painted lesions of validation subjects
BODY, TAIL = 0.99, 0.999  # healthy shares: beyond TAIL there are too few pixels to count


@register("fusion")
@dataclass(frozen=True)
class Fusion(MapScorer):
    """Mean over maps that see different things of how rare each value is among healthy pixels (Fisher 1925): what several
    maps find unusual counts most. Which maps are in it was chosen on painted lesions of validation subjects."""

    title: ClassVar[str] = "Fusion of maps"
    unit: ClassVar[str] = "rarity (−log₁₀)"
    trust: ClassVar[str] = "Over all kinds of painted lesion no single map reaches it, and the logistic fusion does better."
    needs: ClassVar[Needs] = Needs(members=MEMBERS)

    def score_map(self, model: Model, slices: Slices) -> Array:
        return masked_to_brain(np.mean([rarity(name, model, slices) for name in MEMBERS], axis=0), slices)


@register("logistic_fusion")
@dataclass(frozen=True)
class LogisticFusion(MapScorer):
    """A logistic model of how rare the value of each of several maps is among healthy pixels (Cox 1958), in which some maps
    count more than others: −ln(1 − p), p its share of lesion. It was fitted to painted lesions of validation subjects, and p
    is no probability of disease."""

    title: ClassVar[str] = "Logistic fusion of maps"
    unit: ClassVar[str] = "nats"
    trust: ClassVar[str] = (
        "Trust it first: over all kinds of painted lesion no other map reaches it. It misses what its members miss, such as "
        "lesions of a few millimetres."
    )
    needs: ClassVar[Needs] = Needs(members=tuple(WEIGHTS))

    def score_map(self, model: Model, slices: Slices) -> Array:
        logit = sum(weight * rarity(name, model, slices) for name, weight in WEIGHTS.items()) + INTERCEPT
        return masked_to_brain(np.logaddexp(0, logit), slices)


def rarity(name: str, model: Model, slices: Slices) -> Array:
    """(N, H, W): `surprise` of a scorer's map against the healthy pixels that it was calibrated on."""
    return surprise(scorers.abnormality(name, scorers.build_map(name).score_map(model, slices)), model.healthy[name])


def surprise(values: Array, healthy: Array) -> Array:
    """−log₁₀ of the share of healthy pixels above each of `values`; healthy: their sorted quantiles, evenly spaced.

    Beyond the quantile TAIL the share falls on as from BODY to TAIL, a tenth for each such step: an exponential tail.
    """
    shares = np.linspace(0, 1, len(healthy))
    body, tail = np.interp([BODY, TAIL], shares, healthy)
    step = max(float(tail - body), 1e-6) / np.log10((1 - BODY) / (1 - TAIL))
    within = -np.log10(np.maximum(1 - np.interp(values, healthy, shares), 1 - TAIL))
    return np.where(values > tail, -np.log10(1 - TAIL) + (values - tail) / step, within).astype(np.float32)
