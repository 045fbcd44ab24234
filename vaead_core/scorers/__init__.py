"""Anomaly scorers, one file each. A new file with a registered class is found here; nothing else needs an edit.

A map scorer has `score_map(model, slices) → (N, H, W)`, an image scorer `score(model, slices) → (N,)`: float32,
higher (further from 0 for `signed`) = more abnormal, maps 0 outside the brain when masked. Its docstring's first
paragraph is the help text; `title` its name on screen; `unit` what a value means.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from typing import Any, ClassVar, Protocol

from vaead_core.errors import InputError
from vaead_core.model import Model
from vaead_core.volume import Array, Slices


class MapScorer(Protocol):
    """One value a pixel."""

    title: ClassVar[str]
    unit: ClassVar[str]

    def score_map(self, model: Model, slices: Slices) -> Array: ...


class ImageScorer(Protocol):
    """One value an image."""

    title: ClassVar[str]
    unit: ClassVar[str]

    def score(self, model: Model, slices: Slices) -> Array: ...


SCORERS: dict[str, Any] = {}


def register(name: str) -> Callable[[type], type]:
    """Class decorator: makes the scorer known under `name`."""

    def enter(scorer: type) -> type:
        SCORERS[name] = scorer
        return scorer

    return enter


def discover() -> None:
    """Imports every module of this folder, so that each registers its scorers."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")


def map_scorers() -> dict[str, type]:
    """The registered map scorers by name, in alphabetical order."""
    return {name: kind for name, kind in sorted(SCORERS.items()) if hasattr(kind, "score_map")}


def build(name: str, **settings: Any) -> Any:
    """A scorer by name. Raises InputError for an unknown one."""
    if name not in SCORERS:
        raise InputError(f"There is no scorer {name}; choose among {', '.join(sorted(SCORERS))}.")
    return SCORERS[name](**settings)


def help_text(name: str) -> str:
    """What the scorer does, in a sentence or two, with its source."""
    text = inspect.getdoc(SCORERS[name]) or ""
    return " ".join(text.split("\n\n")[0].split())


def masked_to_brain(values: Array, slices: Slices, masked: bool = True) -> Array:
    """float32 `values`, 0 outside the brain unless `masked` is off (the thesis's own figures)."""
    return (values * slices.mask if masked else values).astype("float32")


discover()
