"""Toy anomalies, one file a kind: shapes painted into slices of healthy brains, with the truth they leave behind.

A toy is a frozen dataclass of a shape in mm and an intensity in [-1, 1] (the brain's mean is 0). Its shapes keep their
place over `length_mm` of slices, so that they are cylinders, as in the thesis (section 3.2.4).
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.random import Generator

from vaead_core.errors import InputError
from vaead_core.volume import Array, Slices


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


class Toy(Protocol):
    """A kind of toy anomaly."""

    title: ClassVar[str]

    @property
    def length_mm(self) -> float: ...

    def plant(self, slices: Slices, spacing_mm: float, rng: Generator, place: Place | None = None) -> ToyCase:
        """The toy in `slices`, at `place` or at a random one inside the brain. The same rng state gives the same case."""
        ...


TOYS: dict[str, Any] = {}


def register(name: str) -> Callable[[type], type]:
    """Class decorator: makes the toy known under `name`."""

    def enter(toy: type) -> type:
        TOYS[name] = toy
        return toy

    return enter


def discover() -> None:
    """Imports every module of this folder, so that each registers its toys."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")


def build(name: str, **settings: Any) -> Any:
    """A toy by name. Raises InputError for an unknown one."""
    if name not in TOYS:
        raise InputError(f"There is no toy {name}; choose among {', '.join(sorted(TOYS))}.")
    return TOYS[name](**settings)


def help_text(name: str) -> str:
    """What the toy looks like, in a sentence or two."""
    text = inspect.getdoc(TOYS[name]) or ""
    return " ".join(text.split("\n\n")[0].split())


discover()
