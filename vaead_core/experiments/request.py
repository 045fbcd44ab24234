"""What an experiment is, and what a command asks of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from vaead_core.experiments import painted, records
from vaead_core.experiments.records import Measurement
from vaead_core.experiments.toy_scans import Choice


@dataclass(frozen=True)
class Request:
    """What the command line asks for. checkpoints: folders, () for the experiment's own. part: test or validation.

    A smaller experiment names toys (datasets) and scores (scorers and detectors), () for all, and its first `subjects`.
    """

    checkpoints: tuple[Path, ...] = ()
    data: str | None = None
    part: str = "test"
    seed: int = 0
    toys: tuple[str, ...] = ()
    scores: tuple[str, ...] = ()
    subjects: int | None = None

    def chosen(self, choices: tuple[Choice, ...]) -> tuple[Choice, ...]:
        """Those of `choices` that it names."""
        return tuple(choice for choice in choices if not self.scores or choice[0] in self.scores)

    def maps(self, folder: Path) -> tuple[str, ...]:
        """The maps of a checkpoint that it names."""
        return tuple(name for name, _ in self.chosen(painted.every_map(str(folder))))


@dataclass(frozen=True)
class Experiment:
    """question: what a reader learns. defaults: folders under checkpoints/; () where --checkpoint must be given.

    row: what a part measures. table: of an experiment's name and its rows. beside: writes more, of a checkpoint, into results.
    """

    question: str
    defaults: tuple[str, ...]
    parts: Callable[[list[Path], Request], list[Any]]
    row: type[Any] = Measurement
    table: Callable[[str, list[Any]], pd.DataFrame] = records.table
    beside: Callable[[str, Path], None] | None = None
