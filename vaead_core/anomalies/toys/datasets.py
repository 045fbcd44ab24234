"""The four toy datasets of the thesis (section 3.2.4), in mm: a definition and a seed, no stored pixels."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from vaead_core.anomalies.toys import Toy, ToyCase
from vaead_core.anomalies.toys.circle import Circle
from vaead_core.anomalies.toys.random_shape import MultipleShapes, RandomShape
from vaead_core.anomalies.toys.tumour import Tumour
from vaead_core.scans.volume import Slices

SIZES_MM = (5.0, 10.0, 15.0, 20.0)
INTENSITIES = {"dark": -1.0, "dark grey": -0.5, "grey": 0.0, "light grey": 0.5, "bright": 1.0}
_SEVERAL_INTENSITIES = (("dark", "bright"), ("dark grey", "light grey"), ("dark", "grey", "bright"))
_SEVERAL_SIZES_MM = ((5.0, 10.0), (10.0, 15.0), (5.0, 10.0, 15.0))


@dataclass(frozen=True)
class Combination:
    """One toy of a dataset. size, intensity: its labels in tables. place: toys with the same one share their place."""

    size: str
    intensity: str
    toy: Toy
    place: int

    @property
    def name(self) -> str:
        """For example "10 mm dark"."""
        return f"{self.size} {self.intensity}"


def _grid(kind: type, field: str) -> tuple[Combination, ...]:
    return tuple(
        Combination(f"{size:g} mm", label, kind(**{field: size, "intensity": intensity}), place)
        for place, size in enumerate(SIZES_MM)
        for label, intensity in INTENSITIES.items()
    )


def _multiple() -> tuple[Combination, ...]:
    by_intensity = [
        Combination("10 mm", " + ".join(labels), _shapes((10.0,) * len(labels), labels), index)
        for index, labels in enumerate(_SEVERAL_INTENSITIES)
    ]
    by_size = [
        Combination(" + ".join(f"{size:g}" for size in sizes) + " mm", "dark", _shapes(sizes, ("dark",) * len(sizes)), 3 + index)
        for index, sizes in enumerate(_SEVERAL_SIZES_MM)
    ]
    return (*by_intensity, *by_size)


def _shapes(sizes_mm: tuple[float, ...], labels: tuple[str, ...]) -> Toy:
    return MultipleShapes(sizes_mm, tuple(INTENSITIES[label] for label in labels))


DATASETS: dict[str, tuple[Combination, ...]] = {
    "circles": _grid(Circle, "radius_mm"),
    "random": _grid(RandomShape, "size_mm"),
    "multiple": _multiple(),
    "tumour": (Combination("10 + 4 mm", "dark in bright", Tumour(), 0),),
}


def plant(dataset: str, combination: Combination, slices: Slices, spacing_mm: float, subject: str, seed: int = 0) -> ToyCase:
    """The combination in one subject's slices; its place and outline depend on seed, dataset, subject and size alone."""
    names = (zlib.crc32(name.encode()) for name in (dataset, subject))
    return combination.toy.plant(slices, spacing_mm, np.random.default_rng([seed, *names, combination.place]))
