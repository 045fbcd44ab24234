"""Anomaly scorers, one file each. A new file with a registered class is found here; nothing else needs an edit.

A map scorer has `score_map(model, slices) → (N, H, W)`, an image scorer `score(model, slices) → (N,)`: float32,
higher (further from 0 for `signed`) = more abnormal, maps 0 outside the brain when masked. Its docstring's first
paragraph is the help text; `title` its name on screen; `unit` what a value means; `trust` when to
trust it, by the evidence of results/. What a class needs of a model it says:
`patches_only = True`, one of patches; `network`, a further network of vae.FURTHER; `gradient = True`, an encoder exported
with its gradient; `calibrated`, the maps (of wrappers.py) whose healthy mean and deviation at each place are known;
`members`, the map scorers that it is made of; `slices_only = True`, one of whole slices. A static method
`learn(model, slices, depth) → arrays` keeps in the checkpoint, as `model.memory[memory]`, what it needs of healthy training
brains; `keeps_scans = True`, when that is their voxels, which a checkpoint holds only if it is asked to.
"""

from __future__ import annotations

from typing import ClassVar, Protocol

import numpy as np

from vaead_core.inference.model import Model
from vaead_core.registry import Registry
from vaead_core.scans.volume import Array, Slices


class Mapping(Protocol):
    """One value a pixel: a map scorer, or a part of one that has no name of its own."""

    def score_map(self, model: Model, slices: Slices) -> Array: ...


class MapScorer(Mapping, Protocol):
    """One value a pixel, registered by name."""

    title: ClassVar[str]
    unit: ClassVar[str]


class ImageScorer(Protocol):
    """One value an image."""

    title: ClassVar[str]
    unit: ClassVar[str]

    def score(self, model: Model, slices: Slices) -> Array: ...


# What `trust` says of several scorers alike.
BELOW_THE_ATLAS = "On painted lesions of every kind it lies below the voxel atlas: for comparison, not for a decision."
AMONG_ITS_PLACE = "Compare a slice with healthy ones of its own place: slices differ more than most lesions change them."

SCORERS = Registry("scorer")
register, build = SCORERS.register, SCORERS.build


def help_text(name: str) -> str:
    """What a scorer does, with its source, and when to trust it."""
    return f"{SCORERS.help_text(name)} {getattr(SCORERS[name], 'trust', '')}".strip()


def scorers_of(model: Model) -> dict[str, type]:
    """The registered scorers that `model` can have, by name, in alphabetical order."""
    return {name: kind for name, kind in sorted(SCORERS.items()) if not lacks(model, kind)}


def lacks(model: Model, kind: type) -> str | None:
    """What a scorer needs and `model` has not, as a noun; None where it has all."""
    network = getattr(kind, "network", None)
    if getattr(kind, "patches_only", False) and model.stride is None:
        return "patches"
    if getattr(kind, "slices_only", False) and model.stride is not None:
        return "whole slices"
    if getattr(kind, "gradient", False) and not getattr(model.vae, "has_gradient", False):
        return "a gradient"
    if getattr(kind, "memory", None) not in (None, *model.memory):
        return "a memory"
    if network is not None and network not in model.further:
        return f"a {network}"
    needs = (lacks(model, SCORERS[name]) for name in getattr(kind, "members", ()))
    return next((need for need in needs if need), None)


def map_scorers(model: Model | None = None) -> dict[str, type]:
    """The registered map scorers by name, in alphabetical order; with `model`, those that it can have."""
    known = dict(sorted(SCORERS.items())) if model is None else scorers_of(model)
    return {name: kind for name, kind in known.items() if hasattr(kind, "score_map")}


def abnormality(name: str, maps: Array) -> Array:
    """What is ranked, thresholded and aggregated: |map| of a signed scorer, else the map itself.

    A normalised residual below 0 is a place redrawn better than usual, and no anomaly.
    """
    return np.abs(maps) if getattr(SCORERS[name], "signed", False) else maps


def masked_to_brain(values: Array, slices: Slices, masked: bool = True) -> Array:
    """float32 `values`, 0 outside the brain unless `masked` is off (the thesis's own figures)."""
    return (values * slices.mask if masked else values).astype("float32")


SCORERS.discover(__name__, __path__)
