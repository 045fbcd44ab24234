"""What a scorer declares, and what registering refuses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import ClassVar, Literal

from vaead_core.inference.model import Memory, Model
from vaead_core.inference.vae import COMPANIONS
from vaead_core.registry import check_contract
from vaead_core.scans.volume import Array, Slices
from vaead_core.scorers.maps import PixelScorer
from vaead_core.scorers.wrappers import Calibrated


@dataclass(frozen=True)
class Needs:
    """What a scorer needs of a model; nothing, unless it says so. Raises ValueError for what no model has.

    images: a network of whole slices, or one of patches; None: either. gradient: an encoder exported with its gradient.
    companion: a companion network of COMPANIONS. calibrated: the maps whose healthy mean and deviation at each place are known.
    members: the map scorers that it is made of. memory: the name under which what it learns of healthy training brains is kept.
    keeps_scans: that is their voxels, which a checkpoint holds only if it is asked to.
    """

    images: Literal["slices", "patches"] | None = None
    gradient: bool = False
    companion: str | None = None
    calibrated: tuple[Calibrated, ...] = ()
    members: tuple[str, ...] = ()
    memory: str | None = None
    keeps_scans: bool = False

    def __post_init__(self) -> None:
        if self.images not in (None, "slices", "patches"):
            raise ValueError(f"a scorer needs images of slices or patches, not {self.images!r}")
        if self.companion not in (None, *COMPANIONS):
            raise ValueError(f"there is no companion network {self.companion!r}; those are {', '.join(COMPANIONS)}")
        if self.keeps_scans and self.memory is None:
            raise ValueError("a scorer that keeps scans needs a memory to keep them in")


class Scorer(ABC):
    """What every scorer says of itself.

    title: its name on screen. unit: what a value means. trust: when to trust it, by the evidence of results/. signed: a value's
    distance from 0 is what is abnormal. own_scale: how a map is compared on its own scan's scale: by its spread, or as a
    certainty by its odds. The first paragraph of the docstring is the help text.
    """

    title: ClassVar[str]
    unit: ClassVar[str]
    trust: ClassVar[str] = ""
    signed: ClassVar[bool] = False
    own_scale: ClassVar[Literal["spread", "odds"]] = "spread"
    needs: ClassVar[Needs] = Needs()

    @staticmethod
    def learn(model: Model, slices: Slices, depth: int) -> Memory:
        """What it keeps of healthy training brains as `model.memory[needs.memory]`, for a scorer that needs a memory."""
        raise NotImplementedError


class MapScorer(Scorer, PixelScorer):
    """One value a pixel, registered by name; its maps are 0 outside the brain unless it is told otherwise."""


class ImageScorer(Scorer):
    """One value an image."""

    @abstractmethod
    def score(self, model: Model, slices: Slices) -> Array:
        """(N,) float32: higher is more abnormal."""


def check_scorer(kind: type) -> None:
    """Raises TypeError, which names class and culprit, unless `kind` keeps the contract of a map or an image scorer."""
    for need in (field.name for field in fields(Needs)):
        if hasattr(kind, need):
            raise TypeError(f"{kind.__name__} has {need}, which is a need; write needs = Needs({need}=...).")
    if not issubclass(kind, Scorer):
        raise TypeError(f"{kind.__name__} is no scorer; write class {kind.__name__}(MapScorer) or (ImageScorer).")
    check_contract(kind, MapScorer if issubclass(kind, MapScorer) else ImageScorer)
    if (kind.needs.memory is None) != (kind.learn is Scorer.learn):
        raise TypeError(f"{kind.__name__} must have both learn and needs = Needs(memory=...), or neither.")


def check_members(known: Mapping[str, type[Scorer]]) -> None:
    """Raises ValueError unless what a scorer of `known` is made of are map scorers of `known` that are made of no others."""
    for kind in known.values():
        for name in kind.needs.members:
            member = known.get(name)
            if member is None or not issubclass(member, MapScorer) or member.needs.members:
                raise ValueError(f"{kind.__name__} needs the member {name!r}, which is no map scorer of its own.")
