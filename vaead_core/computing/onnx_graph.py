"""One graph on ONNX Runtime: deterministic, its batches spread over the machine's cores, no torch."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime

from vaead_core.computing import machine

Array = np.ndarray

_BATCH = 8  # larger batches are no faster


class OnnxGraph:
    """A serialised ONNX graph of one input whose first axis is the batch.

    Batches are spread over `threads` (default: OMP_NUM_THREADS, else this process's cores), each computed by one:
    faster than several threads inside each layer, and the values do not depend on their number. nbytes: of the graph.
    """

    def __init__(self, content: bytes, threads: int | None = None) -> None:
        self._threads = threads or machine.threads()
        self._pool = ThreadPoolExecutor(self._threads)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self.nbytes = len(content)
        self._session = onnxruntime.InferenceSession(content, options, ["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0]
        self._needed = onnxruntime.RunOptions()
        self._needed.only_execute_path_to_fetches = True

    @property
    def input_shape(self) -> tuple:
        """Of one input, without the batch; a string where any size will do."""
        return tuple(self._input.shape[1:])

    @property
    def outputs(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(output.name for output in self._session.get_outputs())

    def run(
        self, inputs: Array, outputs: tuple[str, ...], reduce: Callable[[list[Array]], list[Array]] | None = None
    ) -> list[Array]:
        """`outputs` for all inputs (N, ...), float32, each (N, ...). reduce: applied to each batch's outputs, to hold less."""

        def one(batch: Array) -> list[Array]:
            found = self._session.run(list(outputs), {self._input.name: batch}, self._needed)
            return reduce(found) if reduce else found

        size = min(_BATCH, max(1, -(-len(inputs) // self._threads)))
        batches = [np.ascontiguousarray(inputs[start : start + size], np.float32) for start in range(0, len(inputs), size)]
        parts = list(self._pool.map(one, batches))
        return [np.concatenate(part) for part in zip(*parts, strict=True)]
