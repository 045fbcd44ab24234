"""A control for each setting of a toy or a painted lesion, whatever it is."""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.shared.inputs import KEPT
from vaead_core.anomalies.toys.settings import Setting
from vaead_core.pipeline import planting
from vaead_core.pipeline.planting import Planting


def ask_toy(spacing_mm: float) -> tuple[str, DeltaGenerator, tuple[tuple[str, Any], ...]]:
    """The kind of toy or lesion, a row for buttons below it, and its (field, value) settings. spacing_mm: below which none is
    drawn.

    Raises InputError for text that does not hold the numbers asked for.
    """
    _show_chosen()
    about = planting.help_text(st.session_state.get("toy", planting.KINDS[0]))
    kind = st.selectbox("Toy", planting.KINDS, format_func=_title, key="toy", help=about, **KEPT)
    buttons = st.container(horizontal=True, gap="xsmall")
    settings = planting.offered(kind, spacing_mm)
    return kind, buttons, tuple((one.name, _ask(one, f"{kind}_{one.name}")) for one in settings)


def _title(kind: str) -> str:
    """Painted lesions come after toys, and are said to be such."""
    return f"Painted: {planting.name_of(kind)}" if planting.is_painted(kind) else planting.name_of(kind)


def _show_chosen() -> None:
    """The controls take kind and settings of a toy that was chosen or changed without them."""
    state = st.session_state
    toy: Planting | None = state.pop("lab_show", None)
    if toy is None:
        return
    state.toy, state.lab_shape = toy.kind, (toy.kind, toy.settings)
    for name, value in toy.settings:
        state[f"{toy.kind}_{name}"] = Setting.text(value) if isinstance(value, tuple) else value


def _ask(setting: Setting, key: str) -> Any:
    keep = {"key": key, **KEPT}
    if setting.choices:
        return st.selectbox(setting.label, setting.choices, index=setting.choices.index(setting.default), **keep)
    if setting.several:
        return setting.numbers(st.text_input(setting.label, setting.text(setting.default), **keep))
    return st.slider(setting.label, setting.low, setting.high, setting.default, setting.step, **keep)
