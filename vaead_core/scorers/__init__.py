"""Anomaly scorers, one file each. A new file with a registered class is found here; nothing else needs an edit.

A scorer is a frozen dataclass of settings that is a MapScorer or an ImageScorer; contract.py says what it may declare, with the
defaults, and registering refuses the rest.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from vaead_core.inference.model import Model
from vaead_core.registry import Registry
from vaead_core.scans.volume import Array
from vaead_core.scorers.contract import ImageScorer, MapScorer, Needs, Scorer, check_members, check_scorer
from vaead_core.scorers.maps import PixelScorer, masked_to_brain

__all__ = [
    "AMONG_ITS_PLACE",
    "BELOW_THE_ATLAS",
    "SCORERS",
    "ImageScorer",
    "MapScorer",
    "Needs",
    "PixelScorer",
    "Scorer",
    "abnormality",
    "build",
    "build_image",
    "build_map",
    "help_text",
    "lacks",
    "map_scorers",
    "masked_to_brain",
    "register",
    "scorers_of",
]  # fmt: skip

# What `trust` says of several scorers alike.
BELOW_THE_ATLAS = "On painted lesions of every kind it lies below the voxel atlas: for comparison, not for a decision."
AMONG_ITS_PLACE = "Compare a slice with healthy ones of its own place: slices differ more than most lesions change them."

SCORERS: Registry[MapScorer | ImageScorer] = Registry("scorer", check_scorer)
register, build = SCORERS.register, SCORERS.build


def build_map(name: str, **settings: Any) -> MapScorer:
    """One map scorer with its settings. Raises InputError for an unknown name."""
    scorer = build(name, **settings)
    if not isinstance(scorer, MapScorer):
        raise ValueError(f"{name} gives a value an image, and no map")
    return scorer


def build_image(name: str, **settings: Any) -> ImageScorer:
    """One image scorer with its settings. Raises InputError for an unknown name."""
    scorer = build(name, **settings)
    if not isinstance(scorer, ImageScorer):
        raise ValueError(f"{name} gives a map, and no value an image")
    return scorer


def help_text(name: str) -> str:
    """What a scorer does, with its source, and when to trust it."""
    return f"{SCORERS.help_text(name)} {SCORERS[name].trust}".strip()


def scorers_of(model: Model) -> dict[str, type[Scorer]]:
    """The registered scorers that `model` can have, by name, in alphabetical order."""
    return {name: kind for name, kind in sorted(SCORERS.items()) if not lacks(model, kind)}


def lacks(model: Model, kind: type[Scorer]) -> str | None:
    """What a scorer needs and `model` has not, as a noun; None where it has all."""
    needs = kind.needs
    if needs.images == "patches" and model.stride is None:
        return "patches"
    if needs.images == "slices" and model.stride is not None:
        return "whole slices"
    if needs.gradient and not model.vae.has_gradient:
        return "a gradient"
    if needs.memory not in (None, *model.memory):
        return "a memory"
    if needs.companion not in (None, *model.companions):
        return f"a {needs.companion}"
    return next((lacking for name in needs.members if (lacking := lacks(model, SCORERS[name]))), None)


def map_scorers(model: Model | None = None) -> dict[str, type[MapScorer]]:
    """The registered map scorers by name, in alphabetical order; with `model`, those that it can have."""
    known = dict(sorted(SCORERS.items())) if model is None else scorers_of(model)
    return {name: kind for name, kind in known.items() if issubclass(kind, MapScorer)}


def abnormality(name: str, maps: Array) -> Array:
    """What is ranked, thresholded and aggregated: |map| of a signed scorer, else the map itself.

    A normalised residual below 0 is a place redrawn better than usual, and no anomaly.
    """
    return np.abs(maps) if SCORERS[name].signed else maps


SCORERS.discover(__name__, __path__)
check_members(SCORERS)
