"""The numbers of the thesis (Guillén Fernández-Micheltoarena, UMC Utrecht 2023), and which of ours stand beside them."""

from __future__ import annotations

from dataclasses import dataclass

from vaead_core.experiments.records import ALL

TOYS = ("circles", "random", "multiple", "tumour")
DETECTORS = "detectors"


@dataclass(frozen=True)
class Claim:
    """One number of the thesis. score: a scorer's name, or DETECTORS for the best of the outlier detectors.

    masked: which of our rows stands beside it; the thesis did not mask. note: how the thesis came to it.
    """

    experiment: str
    task: str
    score: str
    dataset: str
    value: float
    combination: str = ALL
    masked: bool = True
    note: str = ""


def _four(experiment: str, task: str, score: str, values: tuple[float, ...], masked: bool = True) -> list[Claim]:
    return [Claim(experiment, task, score, toy, value, masked=masked) for toy, value in zip(TOYS, values, strict=True)]


def _classes(score: str, values: dict[str, float], note: str = "") -> list[Claim]:
    return [Claim("fashion", "detection", score, "balanced", ap, name, note=note) for name, ap in values.items()]


CLAIMS: tuple[Claim, ...] = (
    *_classes("reconstruction_mse", {ALL: 0.872, "dress": 0.749, "shirt": 0.666, "sandal": 0.968, "ankle boot": 0.997}),
    *_classes(DETECTORS, {ALL: 0.894, "dress": 0.909, "shirt": 0.892, "sandal": 0.895, "ankle boot": 0.909}, "Covariance"),
    *_four("slices", "detection", "reconstruction_mse", (0.4005, 0.5345, 0.3302, 0.6844)),
    Claim("slices", "detection", DETECTORS, "circles", 0.5374, note="OCSVM"),
    Claim("slices", "detection", DETECTORS, "random", 0.5849, note="Covariance"),
    Claim("slices", "detection", DETECTORS, "multiple", 0.5741, note="KNN, one size; ABOD 0.5655, one intensity"),
    Claim("slices", "detection", DETECTORS, "tumour", 0.5387, note="KDE"),
    *_four("slices", "segmentation", "residual", (0.2978, 0.3179, 0.5159, 0.5692), masked=False),
    *_four("slices", "segmentation", "residual", (0.2978, 0.3179, 0.5159, 0.5692)),
    *_four("slices", "segmentation", "activation", (0.4583, 0.5041, 0.6045, 0.857), masked=False),
    *_four("slices", "segmentation", "activation", (0.4583, 0.5041, 0.6045, 0.857)),
    *_four("patches", "segmentation", "patch_error", (0.1933, 0.2194, 0.2469, 0.6942)),
    *_four("patches", "segmentation", "residual", (0.0589, 0.0755, 0.0947, 0.3074), masked=False),
    *_four("patches", "segmentation", "residual", (0.0589, 0.0755, 0.0947, 0.3074)),
    *_four("patches", "segmentation", "activation", (0.2107, 0.2098, 0.3492, 0.3614), masked=False),
    *_four("patches", "segmentation", "activation", (0.2107, 0.2098, 0.3492, 0.3614)),
)
