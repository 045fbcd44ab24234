"""Outlier detectors on latents, one file each: the 17 of the thesis's Table I. A new file with a registered class is found.

A detector is a frozen dataclass of settings that is a Detector; registering refuses the rest. `fit(rows)` with rows (N, L) of
healthy latents gives something whose `score(rows)` is (M,) float32, higher = more abnormal: the same for a row alone, in a
batch, twice, and after another fit of the same rows. Its docstring's first paragraph is the help text, `title` its abbreviation
in Table I.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial
from typing import ClassVar, Protocol

from vaead_core.registry import Registry, check_contract
from vaead_core.scans.volume import Array


class FittedDetector(Protocol):
    """A detector that knows its healthy rows."""

    def score(self, rows: Array) -> Array: ...


class Detector(ABC):
    """Settings; what they find abnormal depends on the rows they are fitted to."""

    title: ClassVar[str]

    @abstractmethod
    def fit(self, rows: Array) -> FittedDetector:
        """rows: (N, L) healthy latents."""


DETECTORS: Registry[Detector] = Registry("detector", partial(check_contract, contract=Detector))
register, build, help_text = DETECTORS.register, DETECTORS.build, DETECTORS.help_text


DETECTORS.discover(__name__, __path__)
