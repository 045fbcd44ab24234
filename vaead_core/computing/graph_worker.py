"""`python -m vaead_core.computing.graph_worker MEMORY_BYTES THREADS`: opens and runs graphs for `apart`, over its pipes.

It ends when standard input closes, whatever it computes: so it never outlives who started it, however that one ends.
"""

from __future__ import annotations

import os
import sys
import threading
from queue import SimpleQueue
from typing import Any, BinaryIO

from vaead_core.computing import frames, machine
from vaead_core.computing.onnx_graph import OnnxGraph
from vaead_core.errors import fault

UNBOUNDED = 1 << 62  # who starts it is trusted


def main(memory_bytes: int, threads: int) -> None:
    """Answers one request after the other, for ever."""
    with os.fdopen(os.dup(1), "wb", buffering=1 << 20) as answers:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # where a library may print to
        requests: SimpleQueue[frames.Message] = SimpleQueue()
        machine.confine(memory_bytes)
        threading.Thread(target=_follow, args=(sys.stdin.buffer, requests), daemon=True).start()
        graphs: list[OnnxGraph] = []
        while True:
            frames.write(answers, *_answer(*requests.get(), graphs, threads))


def _follow(pipe: BinaryIO, requests: SimpleQueue[frames.Message]) -> None:
    try:
        while True:
            requests.put(frames.read(pipe, UNBOUNDED))
    finally:
        os._exit(0)


def _answer(said: dict[str, Any], arrays: list[frames.Array], graphs: list[OnnxGraph], threads: int) -> frames.Message:
    """Of a failure only the kind is told: what a library says of it holds words of the graph."""
    try:
        if said["does"] == "open":
            graphs.append(opened := OnnxGraph(arrays[0].tobytes(), threads))
            return {"input": opened.input_shape, "outputs": opened.output_shapes}, []
        return {}, graphs[said["graph"]].run(arrays[0], said["outputs"], said["channel_means"])
    except Exception as error:
        return {"failed": "memory" if fault(error) else "graph"}, []


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
