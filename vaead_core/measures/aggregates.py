"""One value an image from a map."""

from collections.abc import Callable

import numpy as np

from vaead_core.scans.volume import Array

AGGREGATES = ("mean", "max", "top10", "deviation")
"""Those that are calibrated and shown."""
MEASURED = (*AGGREGATES, "top2")
"""Those that experiments compare."""
DEFAULT = "top10"
_VALUE_OF_SORTED: dict[str, Callable[[Array], float]] = {
    "mean": np.mean,
    "max": lambda values: values[-1],
    "top10": lambda values: values[-max(1, values.size // 10) :].mean(),
    "top2": lambda values: values[-max(1, values.size // 50) :].mean(),
    "deviation": np.std,
}


def aggregate(maps: Array, mask: Array, kinds: tuple[str, ...] = AGGREGATES) -> dict[str, Array]:
    """Mean, maximum, mean of the top 10 % or 2 %, standard deviation in the mask, each (N,) float32.

    maps: (N, H, W), higher = more abnormal (`scorers.abnormality`).

    >>> maps, mask = np.array([[[1.0, 2.0], [3.0, 9.0]]]), np.array([[[True, True], [True, False]]])
    >>> {kind: values.tolist() for kind, values in aggregate(maps, mask, ("mean", "max")).items()}
    {'mean': [2.0], 'max': [3.0]}
    """
    rows = {kind: np.zeros(len(maps), np.float32) for kind in kinds}
    for index, (image, brain) in enumerate(zip(maps, mask, strict=True)):
        values = np.sort(image[brain])
        if values.size:
            for kind in kinds:
                rows[kind][index] = _VALUE_OF_SORTED[kind](values)
    return rows
