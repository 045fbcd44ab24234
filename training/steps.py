"""A step of a training on an accelerator, all of it one CUDA graph: the host launches it once, not each of its kernels."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

WARM_UP = 3  # steps that are taken one kernel after the other: convolutions are chosen, Adam's moments made
Example = tuple[Tensor, ...]  # each (N, ...)
Step = Callable[[Example], dict[str, Tensor]]


class Graphed:
    """Takes a step WARM_UP times, then captures it, and replays it from then on: the same kernels on the same tensors.

    Examples are copied to where a copy of the first one that was captured lies, so all are of its shape. What a step gives is
    overwritten by the next. It must read no value on the host and draw nothing: what is random is part of the example.
    """

    def __init__(self) -> None:
        self._stream = torch.cuda.Stream()
        self._taken = 0
        self._graph: torch.cuda.CUDAGraph | None = None
        self._example: Example = ()
        self._given: dict[str, Tensor] = {}

    def take(self, step: Step, example: Example) -> dict[str, Tensor]:
        """What the step gives of the example. step: always the same, of which nothing is kept."""
        if self._taken < WARM_UP:
            self._taken += 1
            return self._beside(step, example)
        if self._graph is None:
            self._graph = self._captured(step, example)
        for own, part in zip(self._example, example, strict=True):
            own.copy_(part)
        self._graph.replay()
        return self._given

    def _beside(self, step: Step, example: Example) -> dict[str, Tensor]:
        """On a stream of its own, as it will be captured; the next kernels of this stream come after it."""
        here = torch.cuda.current_stream()
        self._stream.wait_stream(here)
        with torch.cuda.stream(self._stream):
            given = step(example)
        here.wait_stream(self._stream)
        return given

    def _captured(self, step: Step, example: Example) -> torch.cuda.CUDAGraph:
        """Nothing of it is computed yet."""
        self._example = tuple(part.clone() for part in example)
        graph = torch.cuda.CUDAGraph()
        # of what other threads do, nothing is an error: they pin meanwhile what the next steps need
        with torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
            self._given = step(self._example)
        return graph
