"""What the latent space asks for: detector, scale, colour; a slice; a direction to decode along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from pages.shared.inputs import KEPT
from vaead_core import detectors
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.pipeline import latent_space
from vaead_core.pipeline.latent_space import LatentSpace, Neighbours, Standardise
from vaead_core.scans.volume import Array

FIRST_DETECTOR = "knn"
SCALES: dict[str, Standardise] = {"all healthy slices": "global", "healthy slices at its place": "position"}
SCALES_HELP = (
    "Latents are standardised by mean and deviation of all healthy latents, or of those near the slice's position. Slices of "
    "different places differ more than most anomalies change them: by place, the picture shows what is left."
)
LATENTS_HELP = (
    "Latents are the few numbers to which the network's encoder shortens a slice, and from which its decoder draws it again. "
    "The picture has their two principal components: the directions in which those of healthy slices differ most."
)
COMPONENTS_HELP = (
    "A component is a direction in which the latents of healthy slices differ; the first is that in which they differ most."
)
OTHER, NEAREST = "Another slice of this scan", "The nearest healthy slice"


def ask_latents(checkpoint: Checkpoint) -> tuple[str, Standardise, str]:
    """Detector, scale, and what colours the healthy slices."""
    names = sorted(detectors.DETECTORS, key=lambda name: detectors.DETECTORS[name].title)
    first = names.index(FIRST_DETECTOR)
    known = list(latent_space.colours(checkpoint))
    if st.session_state.get("latent_colour") not in (None, *known):
        st.session_state.latent_colour = known[0]
    with st.sidebar:
        scale = st.selectbox("Compared with", list(SCALES), key="latent_scale", help=SCALES_HELP, **KEPT)
        about = detectors.help_text(st.session_state.get("latent_detector") or FIRST_DETECTOR)
        detector = st.selectbox(
            "Outlier detector", names, first, format_func=_title, key="latent_detector", help=about, **KEPT
        )  # fmt: skip
        colour = st.selectbox("Colour of healthy slices", known, key="latent_colour", **KEPT)
    return detector, SCALES[scale], colour


def ask_slice(position: Array, first: int) -> int:
    """The row of one of a scan's slices; `first` until one was chosen."""
    low, high = int(position.min()), int(position.max())
    known = st.session_state.get("latent_slice")
    if known is not None:
        st.session_state.latent_slice = min(max(known, low), high)
    with st.sidebar:
        value = int(position[first]) if known is None else None
        place = st.slider("Slice", low, high, value, key="latent_slice", **KEPT)
    return int(np.abs(position - place).argmin())


@dataclass(frozen=True)
class Path:
    """A way from the latent `start` (L,) at step 0. towards: a component, or the latent at step 1. ends: of the steps.

    passes: slice positions whose outlines its pictures need beside the slice's own.
    """

    space: LatentSpace
    start: Array
    place: int
    towards: int | Array
    ends: tuple[float, float]
    passes: tuple[int, ...] = ()

    def latents(self, steps: Sequence[float]) -> Array:
        """(S, L) at steps (S,)."""
        if isinstance(self.towards, int):
            return self.space.along(self.start, self.place, self.towards, np.asarray(steps))
        return latent_space.between(self.start, self.towards, np.asarray(steps))


def ask_direction(space: LatentSpace, latents: Array, position: Array, row: int, near: Neighbours) -> tuple[Path, float, str]:
    """The way, how far along it, and the unit of that."""
    components = [f"Component {number + 1}" for number in range(len(space.axes))]
    start, place = latents[row], int(position[row])
    chosen, amount, other = st.columns(3)
    label = chosen.selectbox(
        "From this slice towards", [*components, NEAREST, OTHER], key="latent_direction", help=COMPONENTS_HELP, **KEPT
    )
    if label in components:
        path = Path(space, start, place, components.index(label), (-4.0, 4.0))
        moved = amount.slider("Standard deviations", *path.ends, 2.0, 0.25, key="latent_deviations", **KEPT)
        return path, moved, "deviations"
    end, end_place = space.latents[near.index[0]], int(space.position[near.index[0]])
    if label == OTHER:
        low, high = int(position.min()), int(position.max())
        target = other.slider("Other slice", low, high, (low + high) // 2, key="latent_other", **KEPT)
        end, end_place = latents[int(np.abs(position - target).argmin())], target
    path = Path(space, start, place, end, (0.0, 1.0), (end_place,))
    return path, amount.slider("Share of the way", 0.0, 1.0, 1.0, 0.05, key="latent_share", **KEPT), "of the way"


def _title(name: str) -> str:
    return detectors.DETECTORS[name].title
