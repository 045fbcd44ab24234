"""Where the images of a training lie: on its device where they fit, else where they were gathered, fetched ahead of the steps."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from training.data import to_tensors
from training.randomness import Drawn
from vaead_core.scans.volume import Slices

MOST_OF_FREE = 0.5  # of an accelerator's free memory that images may take: the rest is the step's
MOVED_AT_ONCE = 512  # images
AHEAD = 2  # steps that are prepared beside the one that is trained
Item = TypeVar("Item")
Ready = TypeVar("Ready")


@dataclass(frozen=True)
class Fetched(Drawn):
    """rows: (N,) of images on the device; or their pixels and masks, (N, 1, H, W), where they lie on the host."""

    rows: Tensor | None
    pixels: Tensor | None = None
    mask: Tensor | None = None


class Resident:
    """Images of slices: as they were gathered, float32; for an accelerator as float16, all on it, or those that it needs next."""

    def __init__(self, slices: Slices, device: torch.device) -> None:
        self.device = device
        self._pixels, self._mask = to_tensors(slices)
        self.on_device = device.type == "cpu"
        if not self.on_device:
            self.on_device = self._pixels.nbytes // 2 + self._mask.nbytes <= MOST_OF_FREE * free_memory(device)
            if self.on_device:
                self._pixels, self._mask = _moved(self._pixels, torch.float16, device), _moved(self._mask, torch.bool, device)

    def __len__(self) -> int:
        return len(self._pixels)

    @property
    def shape(self) -> torch.Size:
        """Of one, (1, H, W)."""
        return self._pixels.shape[1:]

    def fetch(self, rows: Tensor) -> Fetched:
        """What the device needs for the images `rows` (N,); it may be made while the device computes."""
        return Fetched(rows) if self.on_device else Fetched(None, self._pixels[rows].half(), self._mask[rows])

    def take(self, fetched: Fetched) -> tuple[Tensor, Tensor]:
        """Pixels (N, 1, H, W) float32 and mask (N, 1, H, W) bool on the device."""
        here = fetched.to(self.device)
        if here.rows is not None:
            return self._pixels[here.rows].float(), self._mask[here.rows]
        if here.pixels is None or here.mask is None:
            raise ValueError("images that lie on the host are fetched before they are taken")
        return here.pixels.float(), here.mask


def _moved(images: Tensor, kind: torch.dtype, device: torch.device) -> Tensor:
    """All of them on the device, some at a time: the host, on whose disk they may lie, holds no copy."""
    there = torch.empty(images.shape, dtype=kind, device=device)
    for place, some in zip(there.split(MOVED_AT_ONCE), images.split(MOVED_AT_ONCE), strict=True):
        place.copy_(some.to(kind))
    return there


def free_memory(device: torch.device) -> int:
    """Bytes of an accelerator; none of a device that holds nothing."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else 0


def ahead(work: Callable[[Item], Ready], items: Iterable[Item], steps: int) -> Iterator[Ready]:
    """`work` on each of the items, in their order; that of the next `steps` is done meanwhile, by as many threads."""
    if not steps:
        yield from map(work, items)
        return
    waiting: deque[Future[Ready]] = deque()
    with ThreadPoolExecutor(steps) as pool:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > steps:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
