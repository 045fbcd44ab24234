"""Toys as the viewer shows them, and what the reader does to them there.

The browser numbers what is done and sends all that was not yet answered, so that nothing is lost while a page is computed:

    for act in acts_since("lab", done): ...
    viewer(..., toys=Toys(marks, chosen, done=act.number))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import streamlit as st

Voxel = tuple[int, int, int]
WITH_VOXEL, WITH_TOY, WITH_MM = ("plant", "move"), ("move", "choose", "delete", "size", "length"), ("size", "length")
DRAW = "draw"
ACTS = {*WITH_VOXEL, *WITH_TOY, DRAW, "undo", "redo"}
LONGEST_PATH = 400  # voxels
LARGEST_SIDE = 512  # voxels of a grid that is shown


@dataclass(frozen=True)
class Run:
    """Slices `first` to `last` that a cylinder runs through. range_mm: how short and how long its handle makes it."""

    first: int
    last: int
    range_mm: tuple[float, float]


@dataclass(frozen=True)
class Mark:
    """Where a toy lies, in voxels of the layers: its centre, and about `size_mm` to each side. run: None for a ball.

    range_mm: how small and how large its handle makes it. path: voxels that a brush passed, counted from the centre.
    """

    id: int
    centre: Voxel
    size_mm: float
    range_mm: tuple[float, float]
    run: Run | None = None
    path: tuple[Voxel, ...] = ()


@dataclass(frozen=True)
class Toys:
    """All of them, the chosen one's id, and the number of the last act that they follow from. next_mm: size of the next one.

    draws: the next one is drawn with a brush of that radius.
    """

    marks: Sequence[Mark] = ()
    chosen: int | None = None
    done: int = 0
    next_mm: float = 10.0
    draws: bool = False

    def to_record(self) -> dict[str, Any]:
        """What the browser is told."""
        marks = [asdict(mark) for mark in self.marks]
        return {"list": marks, "chosen": self.chosen, "done": self.done, "nextMm": self.next_mm, "draws": self.draws}


@dataclass(frozen=True)
class Act:
    """What the reader did, one of ACTS: to the toy `id`, with a voxel or a length in mm; `choose` without an id chooses none.

    path: voxels that were drawn through.
    """

    number: int
    name: str
    id: int | None = None
    voxel: Voxel | None = None
    mm: float | None = None
    path: tuple[Voxel, ...] = ()


def acts_since(key: str, done: int) -> list[Act]:
    """What the reader did in the viewer `key` after act `done`, in order; what is no act is left out."""
    found = st.session_state.get(key)
    sent = found.get("acts") if found else None
    acts = [act for act in map(act_of, sent if isinstance(sent, list) else []) if act and act.number > done]
    return sorted(acts, key=lambda act: act.number)


def act_of(sent: Any) -> Act | None:
    """None for what the viewer never sends, voxels that no grid has among it."""
    try:
        voxel = None if sent.get("voxel") is None else _voxel(sent["voxel"])
        toy = None if sent.get("id") is None else int(sent["id"])
        path = tuple(map(_voxel, sent.get("path") or ()))
        act = Act(int(sent["number"]), sent["name"], toy, voxel, None if sent.get("mm") is None else float(sent["mm"]), path)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        return None
    if act.name not in ACTS or (act.name in WITH_VOXEL and act.voxel is None):
        return None
    if len(act.path) > LONGEST_PATH or (act.name == DRAW) != bool(act.path):
        return None
    whole = act.name not in WITH_TOY or act.name == "choose" or act.id is not None
    return act if whole and (act.name not in WITH_MM or act.mm is not None) else None


def _voxel(sent: Any) -> Voxel:
    i, j, k = map(int, sent)
    if not 0 <= min(i, j, k) <= max(i, j, k) < LARGEST_SIDE:
        raise ValueError(sent)
    return i, j, k
