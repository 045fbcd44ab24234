"""Where checkpoints are found: those that ship, and those of the folders in $VAEAD_CHECKPOINTS."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from vaead_core.checkpoints.checkpoint import Checkpoint, find_checkpoints
from vaead_core.computing.apart import Apart
from vaead_core.computing.checkout import PACKAGE, checkout

DEFAULT = "brain-slices-2mm"
APART = "VAEAD_APART"


def shipped(name: str = DEFAULT) -> Path:
    """The folder of a checkpoint that ships: with the repository, or, of the default one, with the package alone."""
    repository = checkout()
    return (repository / "checkpoints" if repository else PACKAGE / "checkpoints" / "shipped") / name


def folders() -> list[Path]:
    """Those of $VAEAD_CHECKPOINTS, separated as in $PATH, then that of the shipped ones unless $VAEAD_SHIPPED is `off`."""
    own = [Path(folder) for folder in os.environ.get("VAEAD_CHECKPOINTS", "").split(os.pathsep) if folder]
    return own if os.environ.get("VAEAD_SHIPPED") == "off" else [*own, shipped().parent]


def available() -> dict[str, Path]:
    """Name → folder of each checkpoint in `folders`; of two that have one name, the first."""
    return {path.name: path for folder in reversed(folders()) for path in find_checkpoints(folder)}


def vouched_for(folder: Path) -> bool:
    """Whether who runs this put the checkpoint there: not one that a session uploaded."""
    return folder.parent in folders()


@lru_cache(maxsize=4)
def opened(folder: str) -> Checkpoint:
    """The checkpoint of a folder, read once a process. Where $APART is set, as in a page's jobs, the networks of one that is not
    `vouched_for` run in a process of their own."""
    apart = APART in os.environ and not vouched_for(Path(folder))
    return Checkpoint.load(folder, Apart(Path(folder).name).graph) if apart else Checkpoint.load(folder)


def named(given: Path) -> Path:
    """A checkpoint's folder, given itself or by its name alone."""
    return given if given.is_dir() else available().get(str(given), given)
