"""What the toy lab remembers between two runs, in st.session_state: the toys, the chosen one, and what undo goes back to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import streamlit as st

from pages.shared.cached import toys as cached_toys
from pages.shared.cached.scans import OpenScan
from pages.shared.cached.toys import BrainBox, Toys
from pages.shared.viewer.toys import DRAW, Act
from vaead_core.errors import InputError
from vaead_core.pipeline.planting import DRAWN, Planting, Voxel, offered

Shape = tuple[str, tuple[tuple[str, Any], ...]]
MOST_UNDONE = 100  # changes that undo goes back to


def begin(scan: OpenScan, shape: Shape) -> None:
    """Toys stay while scan and grid do; a changed shape (kind and settings) is that of the chosen one too."""
    state = st.session_state
    where = scan.scan_digest, scan.checkpoint.preprocessor
    if state.get("lab_scan") != where:
        state.lab_scan, state.lab_sentence, state.lab_sweep, state.lab_drawn = where, "", None, ()
        state.lab_within = shown_in()
        state.lab_toys, state.lab_chosen, state.lab_past, state.lab_future = (), None, [], []
        state.lab_start, state.lab_jumps = None, 0
    state.setdefault("lab_done", 0)
    chosen = chosen_toy()
    if chosen and state.get("lab_shape", shape) != shape:
        _change_one(scan, Planting(*shape, chosen.centre, chosen.seed, chosen.path if shape[0] == DRAWN else ()))
    state.lab_shape = shape


def shown_in() -> tuple[str, str]:
    """The lab's scan as its list names it, and which content that is where it is the reader's own."""
    state = st.session_state
    upload = state.get("kept_upload")
    return str(state.get("lab_sample", "")), upload.key if upload else ""


def chosen_toy() -> Planting | None:
    """The one that the controls shape; None where none is chosen."""
    return toy_of(st.session_state.lab_chosen)


def plant_at(scan: OpenScan, shape: Shape, centre: Voxel, path: tuple[Voxel, ...] = ()) -> bool:
    """One toy more, which is then the chosen one; whether it has a place. path: as of Planting."""
    toys = st.session_state.lab_toys
    seed = 1 + max((toy.seed for toy in toys), default=st.session_state.get("lab_seed", 0))
    planting = Planting(*shape, centre, seed, path)
    if planted := _change(scan, (*toys, planting), planting.seed):
        st.session_state.lab_seed = planting.seed
    return planted


def clear(scan: OpenScan) -> None:
    """No toys."""
    if st.session_state.lab_toys:
        _change(scan, (), None)


def choose(seed: int | None, box: BrainBox | None = None) -> None:
    """The controls follow the toy of that seed; the crosshair goes to it where the brain's box is given."""
    state = st.session_state
    toy = toy_of(seed)
    state.lab_chosen = toy.seed if toy else None
    if toy:
        state.lab_show = toy
        if box:
            jump(box.from_grid(toy.centre))


def jump(voxel: Voxel) -> None:
    """The crosshair goes to a voxel of the box in the next run."""
    st.session_state.lab_start = voxel
    st.session_state.lab_jumps += 1


def undo() -> None:
    """The last change undone."""
    _go(st.session_state.lab_past, st.session_state.lab_future)


def redo() -> None:
    """The last undo undone."""
    _go(st.session_state.lab_future, st.session_state.lab_past)


def follow(scan: OpenScan, shape: Shape, acts: Iterable[Act], box: BrainBox) -> None:
    """Does what the reader did in the viewer, one after the other; what has no place is said, and the others are done."""
    state, before, said = st.session_state, st.session_state.lab_toys, ""
    for act in acts:
        state.lab_sentence = ""
        _do(scan, shape, act, box)
        said = state.lab_sentence or said
        state.lab_done = act.number
    if said or before != state.lab_toys:
        state.lab_sentence = said


def _do(scan: OpenScan, shape: Shape, act: Act, box: BrainBox) -> None:
    toy, spacing_mm = toy_of(act.id), scan.preprocessor.spacing_mm
    if act.name == "plant" and act.voxel:
        plant_at(scan, shape, box.on_grid(act.voxel))
    elif act.name == DRAW:
        i, j, k = act.path[0]
        plant_at(scan, shape, box.on_grid((i, j, k)), tuple((a - i, b - j, c - k) for a, b, c in act.path))
    elif act.name in ("undo", "redo"):
        undo() if act.name == "undo" else redo()
    elif act.name == "choose":
        choose(act.id)
    elif toy and act.name == "delete":
        toys = tuple(one for one in st.session_state.lab_toys if one is not toy)
        _change(scan, toys, None)
    elif toy:
        _change_one(scan, changed(toy, act, spacing_mm, box))


def changed(toy: Planting, act: Act, spacing_mm: float, box: BrainBox) -> Planting:
    """The toy moved, or made larger, smaller, longer or shorter."""
    if act.name == "move" and act.voxel:
        return replace(toy, centre=box.on_grid(act.voxel))
    if act.mm is None:
        return toy
    if act.name == "size":
        return toy.with_size(act.mm, spacing_mm)
    lengths = (one for one in offered(toy.kind, spacing_mm) if one.name == "length_mm")
    return next((toy.with_setting(one.name, one.within(act.mm)) for one in lengths), toy)


def with_changed(toy: Planting) -> Toys:
    """All toys, with another in the place of the one of its seed."""
    return tuple(toy if one.seed == toy.seed else one for one in st.session_state.lab_toys)


def _change_one(scan: OpenScan, toy: Planting) -> None:
    """Another in the place of the toy of its seed; it becomes the chosen one."""
    if _change(scan, with_changed(toy), toy.seed):
        st.session_state.lab_show = toy


def _change(scan: OpenScan, toys: Toys, chosen: int | None) -> bool:
    """These toys instead of those there were, unless one of them has no place; why it has none is kept until it has."""
    state = st.session_state
    try:
        cached_toys.planted(scan, toys)
    except InputError as error:
        state.lab_sentence = str(error)
        return False
    if toys != state.lab_toys:
        state.lab_past, state.lab_future = [*state.lab_past, (state.lab_toys, state.lab_chosen)][-MOST_UNDONE:], []
    state.lab_toys, state.lab_chosen, state.lab_sentence = toys, chosen, ""
    return True


def _go(source: list[tuple[Toys, int | None]], target: list[tuple[Toys, int | None]]) -> None:
    state = st.session_state
    if not source:
        return
    target.append((state.lab_toys, state.lab_chosen))
    state.lab_toys, chosen = source.pop()
    state.lab_sentence = ""
    choose(chosen)


def toy_of(seed: int | None) -> Planting | None:
    """The toy of a seed; None where there is none."""
    return next((toy for toy in st.session_state.lab_toys if toy.seed == seed), None)
