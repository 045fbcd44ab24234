"""Painted lesions, one file a kind: the middle tier between toys and patients.

Each is a frozen dataclass that changes a healthy brain in three dimensions: irregular outlines, soft edges, 5 to 30 % darker or
brighter than the tissue they lie in, in a tissue where such a lesion lies. None shares code with the toys, and no network is
trained on them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.random import Generator

from vaead_core.anomalies.lesions.outlines import centre_in, tissues
from vaead_core.registry import Registry, check_contract
from vaead_core.scans.volume import Array, Brain


@dataclass(frozen=True)
class PaintedCase:
    """brain: with the lesion in it. truth: (I, J, K) bool, where the lesion is at least half itself."""

    brain: Brain
    truth: Array


class Lesion(ABC):
    """A kind of painted lesion. one: the title of one alone. tissue: that it lies in. radii: its settings that say how large.

    reach: radii from its centre that it does not pass.
    """

    title: ClassVar[str]
    one: ClassVar[str]
    tissue: ClassVar[str]
    radii: ClassVar[tuple[str, ...]] = ("radius_mm",)
    reach: ClassVar[float] = 2.2

    def reach_mm(self, spacing_mm: float) -> float:
        """From its centre, which it does not pass. spacing_mm: of a voxel."""
        return float(self.reach * getattr(self, self.radii[-1]))

    def paint(self, brain: Brain, rng: Generator) -> PaintedCase:
        """The lesion at a random place of its tissue. The same rng state gives the same case."""
        labels = tissues(int(brain.spacing_mm))
        return self.paint_at(centre_in(self.places(brain, labels), rng), brain, labels, rng)

    @abstractmethod
    def places(self, brain: Brain, labels: Array) -> Array:
        """(I, J, K) bool: where its centre may lie. labels: (I, J, K) the atlas's tissues."""

    @abstractmethod
    def paint_at(self, centre: Array, brain: Brain, labels: Array, rng: Generator) -> PaintedCase:
        """One with its centre at a voxel (3,). brain and labels may be cut out alike, which takes less time."""


LESIONS: Registry[Lesion] = Registry("lesion", partial(check_contract, contract=Lesion))
register, build, help_text = LESIONS.register, LESIONS.build, LESIONS.help_text


def sized(kind: str, radius_mm: float, **settings: Any) -> Lesion:
    """A kind of lesion of about a radius, for `paint_at`, which paints one."""
    return build(kind, **dict.fromkeys(LESIONS[kind].radii, radius_mm), **settings)


def box_about(lesion: Lesion, centre: Array, spacing_mm: float, shape: tuple[int, ...]) -> tuple[slice, ...]:
    """What a lesion about a voxel (3,) can change of a volume of `shape`."""
    reach = int(np.ceil(lesion.reach_mm(spacing_mm) / spacing_mm)) + 2
    return tuple(slice(max(0, int(at) - reach), min(size, int(at) + reach + 1)) for at, size in zip(centre, shape, strict=True))


def recoloured(brain: Brain, change: float, share: Array) -> Brain:
    """The brain whose own intensities are multiplied by 1 + change where `share` (I, J, K) is 1, by less where it is less."""
    changed = brain.scale.to_network(brain.scale.to_own(brain.intensity) * (1 + change * share))
    return replace(brain, intensity=(np.clip(changed, -1, 1) * brain.mask).astype(np.float32))


LESIONS.discover(__name__, __path__)
