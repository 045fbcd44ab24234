"""Random draws that a resumed training repeats: made on the processor, applied on any device, shared among processes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
import torch
from torch import Generator, Tensor


def generator(*seeds: int) -> Generator:
    """A generator of its own for each tuple of seeds, such as (seed, epoch, step)."""
    return Generator().manual_seed(int(np.random.SeedSequence(seeds).generate_state(1, np.uint64)[0] >> 1))


@dataclass(frozen=True)
class Drawn:
    """What was drawn for a batch: tensors (N, ...), a row an image, None for what is not needed, and others' draws."""

    def each(self, change: Callable[[Tensor], Tensor]) -> Self:
        """The same with every tensor changed."""

        def new(value: object) -> object:
            return change(value) if isinstance(value, Tensor) else value.each(change) if isinstance(value, Drawn) else value

        return replace(self, **{field.name: new(getattr(self, field.name)) for field in fields(self)})

    def to(self, device: torch.device) -> Self:
        """On `device`; where they are pinned, nobody waits for them."""
        return self.each(lambda drawn: drawn.to(device, non_blocking=True))

    def pinned(self) -> Self:
        """In memory from which an accelerator fetches it by itself."""
        return self.each(lambda drawn: drawn.pin_memory())

    def of(self, images: slice) -> Self:
        """For some of the images."""
        return self.each(lambda drawn: drawn[images])

    def at(self, images: Tensor, time: int) -> Self:
        """For some of the images, one of the times for which (N, times, ...) were drawn."""
        return self.each(lambda drawn: drawn[images, time])
