"""Toy anomalies, one file a kind: shapes painted into slices of healthy brains, with the truth they leave behind.

A toy is a frozen dataclass of a shape in mm and an intensity in [-1, 1] (the brain's mean is 0). Its shapes keep their
place over `length_mm` of slices, so that they are cylinders, as in the thesis (section 3.2.4).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
from numpy.random import Generator

from vaead_core.registry import Registry, check_contract
from vaead_core.scans.volume import Array, Slices


@dataclass(frozen=True)
class Place:
    """Where a toy goes: images `first` to `first + count - 1`, centred at pixel (row, column)."""

    first: int
    count: int
    row: int
    column: int


@dataclass(frozen=True)
class ToyCase:
    """slices: with the toy in them. truth: (N, H, W) bool, exactly the brain pixels that changed."""

    slices: Slices
    truth: Array

    @property
    def planted(self) -> Array:
        """(N,) bool: the images that hold a part of the toy."""
        return np.asarray(self.truth.any(axis=(1, 2)))


class Toy(ABC):
    """A kind of toy anomaly."""

    title: ClassVar[str]

    @property
    @abstractmethod
    def length_mm(self) -> float:
        """How much of the slices it runs through."""

    @abstractmethod
    def plant(self, slices: Slices, spacing_mm: float, rng: Generator, place: Place | None = None) -> ToyCase:
        """The toy in `slices`, at `place` or at a random one inside the brain. The same rng state gives the same case."""


TOYS: Registry[Toy] = Registry("toy", partial(check_contract, contract=Toy))
register, build, help_text = TOYS.register, TOYS.build, TOYS.help_text


TOYS.discover(__name__, __path__)
