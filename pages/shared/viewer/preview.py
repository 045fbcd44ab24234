"""What a toy would look like while it is dragged: one slice, scored anew several times a second, patched into the viewer.

A component of its own, for its message is small: each message of a component carries its whole script.

    if held := asked("lab"):
        show_preview("lab", Preview(...))
    else:
        show_preview("lab", None)
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from pages.shared.viewer.layer import LARGEST_CODE
from pages.shared.viewer.toys import Act, act_of

_SCRIPT = """
export default function ({ data, setStateValue }) {
  (window.vaeadAsk ??= {})[data.key] = (held) => setStateValue("held", held);
  window.dispatchEvent(new CustomEvent("vaead-preview", { detail: data }));
}
"""
_mount = st.components.v2.component("vaead_preview", html="<span></span>", js=_SCRIPT)


@dataclass(frozen=True)
class Preview:
    """Slice `index` of scan, truth and maps, (I, J) each, as a toy's drag number `number` would have them.

    steps: of each layer's codes, in the same order.
    """

    number: int
    index: int
    slices: Sequence[np.ndarray]
    steps: Sequence[float]

    def to_record(self) -> dict[str, Any]:
        """What the browser is told."""
        return {"number": self.number, "index": self.index, "codes": list(map(_codes, self.slices, self.steps))}


def asked(key: str) -> tuple[Act, int] | None:
    """The latest place of the toy that is dragged in the viewer `key`, and the slice that is looked at; None for none."""
    found = st.session_state.get(f"{key}_preview")
    sent = found.get("held") if found else None
    act = act_of(sent)
    index = sent.get("index") if act and isinstance(sent, dict) else None
    return (act, index) if act and isinstance(index, int) else None


def show_preview(key: str, preview: Preview | None) -> None:
    """Sends it; without one it tells the viewer that it may ask."""
    data = {"key": key, "preview": preview.to_record() if preview else None}
    _mount(data=data, key=f"{key}_preview", height=1, on_held_change=lambda: None)


def _codes(values: np.ndarray, step: float) -> str:
    codes = np.clip(np.rint(values / step), -LARGEST_CODE, LARGEST_CODE).astype("<i2")
    return base64.b64encode(codes.tobytes(order="F")).decode()
