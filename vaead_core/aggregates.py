"""One value an image from a map: the aggregates that are calibrated and shown."""

import numpy as np

from vaead_core.volume import Array

AGGREGATES = ("mean", "max", "top10", "deviation")
DEFAULT = "top10"


def aggregate(maps: Array, mask: Array) -> dict[str, Array]:
    """mean, max, mean of the top 10 % and standard deviation of |map| in the mask, each (N,) float32."""
    rows = {name: np.zeros(len(maps), np.float32) for name in AGGREGATES}
    for index, (image, brain) in enumerate(zip(maps, mask, strict=True)):
        values = np.sort(np.abs(image[brain]))
        if values.size:
            rows["mean"][index], rows["max"][index] = values.mean(), values[-1]
            rows["top10"][index] = values[-max(1, values.size // 10) :].mean()
            rows["deviation"][index] = values.std()
    return rows
