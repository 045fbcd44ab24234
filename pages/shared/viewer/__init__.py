"""The viewer: a scan and up to four maps in linked panels, drawn and scrolled in the browser.

    state = viewer(Layer.of(scan, "Scan"), [Layer.of(map, "Residual", "intensity")], affine, key="explore")
    state.cursor, state.thresholds["Residual"]

A layer's bytes are served under their content's address and fetched once; scrolling, dragging, zooming and the
threshold cost no traffic. Python hears of the crosshair and of thresholds when the mouse or the key is released.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import nibabel as nib
import numpy as np
import streamlit as st
from plotly.colors import sample_colorscale

from pages.shared.server.streamlit_private import serve
from pages.shared.viewer.assets import script, style
from pages.shared.viewer.layer import Layer
from pages.shared.viewer.toys import Toys, Voxel
from vaead_core.figures.rarity import TOP_RARITY

__all__ = ["Layer", "ViewerState", "Voxel", "thresholds_left", "viewer"]

MOST_LAYERS = 4
COLOURS = ("Inferno", "Viridis", "Cividis")
_STOPS = np.linspace(0.15, 1, 18).tolist()

_mount = st.components.v2.component("vaead_viewer", html="<div class='viewer'></div>", css=style(), js=script())


@dataclass(frozen=True)
class ViewerState:
    """What the reader did. cursor: (i, j, k) of the scan's RAS+ grid, where the crosshair was last put.

    thresholds: layer name → value in the layer's own unit; before the reader moved one, what `viewer` was given.
    done: the maps are drawn, or have failed; always False without `tells_done=True`.
    """

    cursor: Voxel
    thresholds: dict[str, float] = field(default_factory=dict)
    done: bool = False


def viewer(
    scan: Layer,
    layers: Sequence[Layer],
    affine: np.ndarray,
    *,
    key: str,
    file_voxels: np.ndarray | None = None,
    truth: Layer | None = None,
    reconstruction: Layer | None = None,
    cursor: Voxel | None = None,
    thresholds: Mapping[str, float] | None = None,
    rarity: float = 1.3,
    toys: Toys | None = None,
    linked: bool = True,
    bases: Sequence[Layer] = (),
    pair: bool = False,
    subject: str | None = None,
    jumps: int = 0,
    tells_done: bool = False,
) -> ViewerState:
    """Shows `layers` over `scan`, one panel each, and returns what the reader did.

    affine: (4, 4) voxels of the layers to world mm; the layers lie in RAS+ order. file_voxels: (4, 4) from there to the
    file's own voxel indices, for the readout; None when they are the same. truth: a mask, drawn as an outline and
    for true and false positives. reconstruction: on the scan's intensities, to flicker with. cursor, thresholds (layer
    name → value in its unit): move crosshair and marks whenever they change. rarity: the first threshold of layers that
    have a rarity scale. toys: to plant, drag and resize, where the page has such; what the reader does to them is
    `toys.acts_since`. linked: maps at first share range and threshold. bases: what lies under each layer in place of `scan`.
    pair: the first two layers have one range of colours where their units are one, and each its own threshold. subject: whom
    the scan shows; crosshair and zoom stay while that is the same, though voxels change; None when other voxels are another
    subject. jumps: a new number moves the crosshair to `cursor` though that is where it was put before. tells_done: run again
    once when the maps are drawn, so that what is heavy for the browser can wait for them.
    """
    everything = [scan, *layers, *(extra for extra in (truth, reconstruction) if extra is not None)]
    _check([*everything, *bases], layers, affine)
    start = cursor or (layers[0].peak if layers else scan.peak)
    subject = subject or scan.digest
    after = f"{subject} {start} {jumps}"
    records = [layer.to_record(_address(layer, f"{key}-{place}")) for place, layer in enumerate(everything)]
    extras = iter(records[1 + len(layers) :])
    for at, record in enumerate(shown := records[1 : 1 + len(layers)]):
        record["base"] = bases[at].to_record(_address(bases[at], f"{key}-base-{at}")) if bases else None
        record["isPaired"] = pair and at < 2
    data = {
        "key": key,
        "shape": scan.shape,
        "affine": affine.tolist(),
        "fileVoxels": (np.eye(4) if file_voxels is None else file_voxels).tolist(),
        "scan": records[0],
        "layers": shown,
        "truth": next(extras) if truth else None,
        "reconstruction": next(extras) if reconstruction else None,
        "subject": subject,
        "cursor": start,
        "after": after,
        "thresholds": dict(thresholds or {}),
        "afterThresholds": str(thresholds),
        "rarity": {"threshold": rarity, "top": TOP_RARITY},
        "colours": {name: sample_colorscale(name, _STOPS, colortype="tuple") for name in COLOURS},
        "toys": toys.to_record() if toys else None,
        "linked": linked,
        "tellsDone": tells_done,
    }
    heard: dict[str, Any] = {f"on_{value}_change": _heard for value in ("cursor", "thresholds", "acts", "done")}
    found = _mount(data=data, key=key, **heard)
    moved = found.cursor if found.cursor and found.cursor["after"] == after else None
    return ViewerState(
        tuple(moved["voxel"]) if moved else start,
        thresholds_left(key, thresholds),
        bool(found.done),
    )


def thresholds_left(key: str, given: Mapping[str, float] | None) -> dict[str, float]:
    """What `viewer` with the thresholds `given` returns as thresholds, for what is drawn before it in a run."""
    found = st.session_state.get(key)
    moved = found.get("thresholds") if found else None
    return moved["values"] if moved and moved["after"] == str(given) else dict(given or {})


def _heard() -> None:
    """Streamlit reports only those values for which a callback is named."""


def _address(layer: Layer, place: str) -> str:
    """Where the browser fetches the payload. The file name carries the digest: Streamlit's own hash of a large file
    looks at parts of it only."""
    return serve(layer.payload, "application/gzip", place, layer.digest)


def _check(everything: Sequence[Layer], layers: Sequence[Layer], affine: np.ndarray) -> None:
    if len(layers) > MOST_LAYERS:
        raise ValueError(f"the viewer shows at most {MOST_LAYERS} maps, got {len(layers)}")
    if len({layer.shape for layer in everything}) > 1:
        raise ValueError(f"all layers must have the scan's shape, got {[layer.shape for layer in everything]}")
    if nib.aff2axcodes(affine) != ("R", "A", "S"):
        raise ValueError(f"layers must lie in RAS+ order, got {nib.aff2axcodes(affine)}")
