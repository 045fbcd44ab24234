"""One graph on ONNX Runtime: deterministic, its batches spread over the machine's cores, no torch."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Literal, Protocol

import numpy as np
import onnxruntime

from vaead_core.computing import machine
from vaead_core.errors import InputError

Array = np.ndarray
Device = Literal["cpu", "cuda"]

DEVICE = "VAEAD_DEVICE"  # where graphs run of which nothing else is said, in this process and in those that it starts
_BATCH = {"cpu": 8, "cuda": 64}  # larger batches are no faster
_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


class Graph(Protocol):
    """A graph of one input whose first axis is the batch, wherever it runs. nbytes: of the graph."""

    nbytes: int

    @property
    def input_shape(self) -> tuple:
        """Of one input, without the batch; a string where any size will do."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Their names."""

    def run(self, inputs: Array, outputs: tuple[str, ...], channel_means: tuple[str, ...] = ()) -> list[Array]:
        """`outputs` for all inputs (N, ...), float32, each (N, ...). channel_means: those whose mean over axis 1 is given."""


Opener = Callable[[bytes], Graph]


class OnnxGraph:
    """A Graph in this process.

    Batches are spread over `threads` (default: OMP_NUM_THREADS, else this process's cores), each computed by one:
    faster than several threads inside each layer, and the values do not depend on their number. device: default: that of
    `on_device`, else cpu; cuda raises InputError where this ONNX Runtime cannot compute on it.
    """

    def __init__(self, content: bytes, threads: int | None = None, device: Device | None = None) -> None:
        self._threads = threads or machine.threads()
        self._pool = ThreadPoolExecutor(self._threads)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self.nbytes = len(content)
        device = device or ("cuda" if os.environ.get(DEVICE) == "cuda" else "cpu")
        wanted = _PROVIDERS[device]
        self._session = onnxruntime.InferenceSession(content, options, [wanted] if device == "cpu" or has_cuda() else [])
        if wanted not in self._session.get_providers():
            raise InputError("This ONNX Runtime has no CUDA; install onnxruntime-gpu for it, or compute on the processor.")
        self._batch = _BATCH[device]
        self._input = self._session.get_inputs()[0]
        self._needed = onnxruntime.RunOptions()
        self._needed.only_execute_path_to_fetches = True

    @property
    def input_shape(self) -> tuple:
        """Of one input, without the batch; a string where any size will do."""
        return tuple(self._input.shape[1:])

    @property
    def output_shapes(self) -> dict[str, tuple]:
        """Name → shape of one, without the batch."""
        return {output.name: tuple(output.shape[1:]) for output in self._session.get_outputs()}

    @property
    def outputs(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(self.output_shapes)

    def run(self, inputs: Array, outputs: tuple[str, ...], channel_means: tuple[str, ...] = ()) -> list[Array]:
        """`outputs` for all inputs (N, ...), float32, each (N, ...). channel_means: those whose mean over axis 1 is given, which
        is taken batch by batch, to hold less."""

        def one(batch: Array) -> list[Array]:
            found = self._session.run(list(outputs), {self._input.name: batch}, self._needed)
            return [value.mean(1) if name in channel_means else value for name, value in zip(outputs, found, strict=True)]

        size = min(self._batch, max(1, -(-len(inputs) // self._threads)))
        batches = [np.ascontiguousarray(inputs[start : start + size], np.float32) for start in range(0, len(inputs), size)]
        parts = list(self._pool.map(one, batches))
        return [np.concatenate(part) for part in zip(*parts, strict=True)]


@contextmanager
def on_device(device: Device) -> Iterator[None]:
    """Graphs that are opened in it, by processes that it starts too, run on `device` unless they are told otherwise."""
    before = os.environ.get(DEVICE)
    os.environ[DEVICE] = device
    try:
        yield
    finally:
        if before is None:
            del os.environ[DEVICE]
        else:
            os.environ[DEVICE] = before


def has_cuda() -> bool:
    """Whether this ONNX Runtime was built to compute on CUDA."""
    return _PROVIDERS["cuda"] in onnxruntime.get_available_providers()
