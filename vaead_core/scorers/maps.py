"""What has one value a pixel, with a name of its own or as a part of a scorer."""

from __future__ import annotations

from abc import ABC, abstractmethod

from vaead_core.inference.model import Model
from vaead_core.scans.volume import Array, Slices


class PixelScorer(ABC):
    """One value a pixel: a map scorer, or a part of one that has no name of its own."""

    @abstractmethod
    def score_map(self, model: Model, slices: Slices) -> Array:
        """(N, H, W) float32: higher (further from 0 where signed) is more abnormal."""

    @property
    def uses_network(self) -> bool:
        """False for a map that is made of the image alone: training brains are then as good a reference as held-out ones."""
        return True


def masked_to_brain(values: Array, slices: Slices, masked: bool = True) -> Array:
    """float32 `values`, 0 outside the brain unless `masked` is off (the thesis's own figures)."""
    return (values * slices.mask if masked else values).astype("float32")
