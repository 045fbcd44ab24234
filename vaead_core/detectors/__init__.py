"""Outlier detectors on latents, one file each: the 17 of the thesis's Table I. A new file with a registered class is found.

A detector is a frozen dataclass of settings; `fit(rows)` with rows (N, L) of healthy latents gives something whose
`score(rows)` is (M,) float32, higher = more abnormal: the same for a row alone, in a batch, twice, and after another fit
of the same rows. Its docstring's first paragraph is the help text, `title` its abbreviation in Table I.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from typing import Any, ClassVar, Protocol

from vaead_core.errors import InputError
from vaead_core.volume import Array


class FittedDetector(Protocol):
    """A detector that knows its healthy rows."""

    def score(self, rows: Array) -> Array: ...


class Detector(Protocol):
    """Settings; what they find abnormal depends on the rows they are fitted to."""

    title: ClassVar[str]

    def fit(self, rows: Array) -> FittedDetector: ...


DETECTORS: dict[str, Any] = {}


def register(name: str) -> Callable[[type], type]:
    """Class decorator: makes the detector known under `name`."""

    def enter(detector: type) -> type:
        DETECTORS[name] = detector
        return detector

    return enter


def discover() -> None:
    """Imports every module of this folder, so that each registers its detectors."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")


def build(name: str, **settings: Any) -> Detector:
    """A detector by name. Raises InputError for an unknown one."""
    if name not in DETECTORS:
        raise InputError(f"There is no detector {name}; choose among {', '.join(sorted(DETECTORS))}.")
    return DETECTORS[name](**settings)


def help_text(name: str) -> str:
    """What the detector does, in a sentence or two, with its source."""
    text = inspect.getdoc(DETECTORS[name]) or ""
    return " ".join(text.split("\n\n")[0].split())


discover()
