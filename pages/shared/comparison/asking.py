"""What Explore sets beside its scan and checkpoint, as it is asked for in the sidebar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.shared import inputs
from pages.shared.comparison import second_scan
from pages.shared.inputs import KEPT
from pages.shared.scan_input import Request
from vaead_core import scorers
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.errors import InputError

NOTHING, CHECKPOINT, SCAN, THRESHOLD = "nothing", "another checkpoint", "another scan", "another threshold"
KINDS = (NOTHING, CHECKPOINT, SCAN, THRESHOLD)
NO_OTHER = "There is no other checkpoint of brain scans to compare with; train or upload one on the Checkpoints page."
_HELP = "Two maps beside each other on the atlas grid, with their difference: of two checkpoints, two scans or two thresholds."


@dataclass(frozen=True)
class Asked:
    """kind: one of the four. folder: of the second checkpoint. scan: the second one. lacking: a sentence, where it is not whole.

    place: in the sidebar, for the maps.
    """

    kind: str
    place: DeltaGenerator
    folder: Path | None = None
    scan: Request | None = None
    lacking: str = ""

    @property
    def subject(self) -> tuple[str, ...]:
        """What is compared with, as far as it is known before anything is opened."""
        return self.kind, str(self.folder or ""), self.scan.subject if self.scan else ""


def ask(first: Request, folder: Path) -> Asked:
    """first, folder: the scan and the checkpoint that are shown."""
    with st.sidebar:
        kind = st.selectbox("Compare with", KINDS, key="compare", help=_HELP, **KEPT)
        if kind == CHECKPOINT:
            others = {name: path for name, path in inputs.brain_checkpoints().items() if path != folder}
            if not others:
                return Asked(kind, st.container(), lacking=NO_OTHER)
            inputs.drop_unless("pair_checkpoint", others)
            chosen = st.selectbox("Second checkpoint", list(others), key="pair_checkpoint", **KEPT)
            return Asked(kind, st.container(), folder=others[chosen])
        if kind == SCAN:
            scan = second_scan.ask_second_scan(first)
            return Asked(kind, st.container(), scan=scan, lacking="" if scan else second_scan.LACKING)
        return Asked(kind, st.container())


def ask_maps(asked: Asked, methods: Sequence[str], second: Checkpoint) -> tuple[str, str]:
    """The method of the first map, of those that are chosen, and that of the second, which another checkpoint may lack.

    Raises InputError where the second one has none.
    """
    offered = [name for name in scorers.map_scorers(second.model) if name in second.calibration]
    shared = [name for name in methods if name in offered]
    alone = asked.kind != CHECKPOINT
    with asked.place:
        first = _ask_map("Map" if alone else "First map", methods, "pair_map", (shared or methods)[0], _follow)
        if alone:
            return first, first
        if not offered:
            raise InputError("The second checkpoint has no calibrated map; choose another one.")
        likeliest = [name for name in (first, *inputs.PREFERRED, *offered) if name in offered]
        return first, _ask_map("Second map", offered, "pair_second_map", likeliest[0])


def _follow() -> None:
    """The second map is the same method again, where its checkpoint has that."""
    st.session_state.pop("pair_second_map", None)


def _ask_map(label: str, names: Sequence[str], key: str, first: str, changed: Callable[[], None] | None = None) -> str:
    inputs.drop_unless(key, names)
    at = list(names).index(first)
    titled = lambda name: scorers.SCORERS[name].title  # noqa: E731
    return st.selectbox(label, names, at, format_func=titled, key=key, on_change=changed, **KEPT)
