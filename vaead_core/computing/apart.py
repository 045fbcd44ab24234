"""Graphs that nobody vouches for, in a process of their own.

Known operators alone say nothing of what a graph costs: one can be idle on a blank image and take for ever on a scan. So the
graphs of an uploaded checkpoint run in a worker (`graph_worker`), which any thread can end; those that lie in the server's own
folders run in this process.

    apart = Apart("mine")                                   # an opener of graphs, as `OnnxGraph` is
    checkpoint = Checkpoint.load(folder, apart.graph)
    apart.close()                                           # whoever waits for it meanwhile is refused

- Bounds: MEMORY_BYTES besides what it begins with; `seconds_for` so many inputs, twenty times what shipped networks take. Past
  either, the worker is killed, and a network that was so is not run again: CheckpointError.
- Only plain numbers cross (`frames`). An answer has the shapes that were told when the graph was opened, or is refused.
- It starts when it is needed, at most MOST_ALIVE at once: for another one, the one that rested longest ends.
- Who waits for it is asked each LOOK_SECONDS, by `listen`, whether he still does; what that raises ends the worker too.
- It ends with its Apart, with this process, however that one ends, and by `close`.
"""  # fmt: skip

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from contextlib import suppress
from typing import Any, BinaryIO, cast

import numpy as np

from vaead_core.computing import frames, machine
from vaead_core.computing.checkout import PACKAGE
from vaead_core.computing.frames import Array, Message
from vaead_core.errors import CheckpointError

OPEN_SECONDS = 15.0  # a graph, with the start of its process
FIRST_SECONDS, SECONDS_AN_INPUT, MOST_SECONDS = 10.0, 0.25, 120.0
MEMORY_BYTES = 2 << 30  # with 200 MB of weights and ANSWER_BYTES twice
ANSWER_BYTES = 512 << 20
LOOK_SECONDS = 0.5
MOST_ALIVE = max(2, machine.threads())  # as many as may compute at once

_all: weakref.WeakSet[Apart] = weakref.WeakSet()
_starting = threading.Lock()


def seconds_for(inputs: int) -> float:
    """How long a run on so many may take."""
    return min(FIRST_SECONDS + SECONDS_AN_INPUT * inputs, MOST_SECONDS)


class Apart:
    """The graphs of the checkpoint `name`. listen: called while something is waited for, by who waits."""

    def __init__(self, name: str, listen: Callable[[], None] = lambda: None) -> None:
        self._name, self._listen = name, listen
        self._contents: list[bytes] = []
        self._worker: _Worker | None = None
        self._refusal = ""
        self._one_by_one = threading.Lock()
        self._used = 0.0
        _all.add(self)

    def graph(self, content: bytes) -> GraphApart:
        """A serialised graph, opened. Raises CheckpointError."""
        with self._one_by_one:
            told, _ = self._asked({"does": "open"}, [_bytes(content)], OPEN_SECONDS, 0)
            self._contents.append(content)
            number = len(self._contents) - 1
        return GraphApart(self, number, len(content), *_shapes(told, self._unfit()))

    def run(self, number: int, inputs: Array, outputs: tuple[str, ...], channel_means: tuple[str, ...], most: int) -> list[Array]:
        """What graph `number` makes of `inputs`, `most` bytes at most. Raises CheckpointError."""
        said = {"does": "run", "graph": number, "outputs": outputs, "channel_means": channel_means}
        with self._one_by_one:
            return self._asked(said, [inputs.astype("<f4", copy=False)], seconds_for(len(inputs)), most)[1]

    def close(self) -> None:
        """Ends it for good, whatever it computes."""
        self._refusal = self._refusal or f"The checkpoint {self._name} was closed; choose another, or upload it again."
        self._rest()

    def _asked(self, said: dict[str, Any], arrays: list[Array], seconds: float, most_bytes: int) -> Message:
        """An answer that is none of a failure; the worker is alive then."""
        worker = self._started()
        try:
            answer = worker.ask(said, arrays, seconds, most_bytes, self._listen)
        except TimeoutError:
            raise self._refused(
                f"The network of {self._name} took longer than {seconds:.0f} s, many times what one of vaead takes, and was "
                "stopped; choose another checkpoint, or upload it again if this server was busy."
            ) from None
        except (EOFError, OSError, ValueError):
            raise self._refused(self._too_much() if worker.ended_by_itself() else str(self._unfit())) from None
        except BaseException:  # who waited has left
            self._rest()
            raise
        self._used = time.monotonic()
        if (failed := answer[0].get("failed")) is not None:
            raise self._refused(self._too_much() if failed == "memory" else str(self._unfit()))
        return answer

    def _started(self) -> _Worker:
        """The worker with all graphs opened; another one where it has ended."""
        if self._refusal:
            raise CheckpointError(self._refusal)
        if self._worker is None:
            with _starting:
                self._make_room()
                self._worker = _Worker(MEMORY_BYTES)
            for content in self._contents:
                self._asked({"does": "open"}, [_bytes(content)], OPEN_SECONDS, 0)
        if self._refusal:  # closed meanwhile
            self._rest()
            raise CheckpointError(self._refusal)
        return self._worker

    def _make_room(self) -> None:
        alive = sorted((one for one in _all if one is not self and one._worker), key=lambda one: one._used)
        for one in alive[: max(0, len(alive) - MOST_ALIVE + 1)]:
            if one._one_by_one.acquire(blocking=False):
                one._rest()
                one._one_by_one.release()

    def _rest(self) -> None:
        worker, self._worker = self._worker, None
        if worker:
            worker.end()

    def _refused(self, sentence: str) -> CheckpointError:
        self._refusal = self._refusal or sentence
        self._rest()
        return CheckpointError(self._refusal)

    def _too_much(self) -> str:
        said = f"The network of {self._name} asked for more memory than one of vaead needs, and was stopped"
        return f"{said}; choose another checkpoint."

    def _unfit(self) -> CheckpointError:
        return CheckpointError(f"The network of {self._name} does not run; copy the checkpoint again, or choose another.")


class GraphApart:
    """A Graph in the worker of an Apart."""

    def __init__(self, apart: Apart, number: int, nbytes: int, input_shape: tuple, shapes: dict[str, tuple[int, ...]]) -> None:
        self._apart, self._number, self._shapes = apart, number, shapes
        self.nbytes, self.input_shape = nbytes, input_shape

    @property
    def outputs(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(self._shapes)

    def run(self, inputs: Array, outputs: tuple[str, ...], channel_means: tuple[str, ...] = ()) -> list[Array]:
        """As of Graph. Raises CheckpointError where its process ends, or gives something else than what it told."""
        unfit = self._apart._unfit()
        if not set(outputs) <= self._shapes.keys():
            raise unfit
        shapes = [(len(inputs), *(self._shapes[name][1:] if name in channel_means else self._shapes[name])) for name in outputs]
        most = 4 * sum(map(math.prod, shapes))
        if most > ANSWER_BYTES:
            raise CheckpointError(self._apart._too_much())
        found = self._apart.run(self._number, inputs, outputs, channel_means, most)
        if [(one.dtype.name, one.shape) for one in found] != [("float32", shape) for shape in shapes]:
            raise unfit
        return found


class _Worker:
    """The process, and one question at a time."""

    def __init__(self, memory_bytes: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.graph_worker", str(memory_bytes), str(machine.threads())],
            cwd=PACKAGE.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=os.environ | {"MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1"}, pipesize=1 << 20,
        )  # fmt: skip
        self.end = weakref.finalize(self, _end, self._process)

    def ask(
        self, said: dict[str, Any], arrays: list[Array], seconds: float, most_bytes: int, listen: Callable[[], None]
    ) -> Message:
        """The answer, whose arrays may have `most_bytes`. Raises TimeoutError, and EOFError, OSError or ValueError where no
        answer comes; then the worker is to be ended, by which the thread that waits for it ends too."""
        answer: Future[Message] = Future()
        threading.Thread(target=_exchange, args=(self._process, said, arrays, most_bytes, answer), daemon=True).start()
        deadline = time.monotonic() + seconds
        while not wait_for([answer], min(LOOK_SECONDS, max(0.0, deadline - time.monotonic()))).done:
            listen()
            if time.monotonic() > deadline:
                raise TimeoutError
        return answer.result()

    def ended_by_itself(self) -> bool:
        """Whether it did so within a second: as ONNX Runtime has it where it finds no memory."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
        return self._process.returncode is not None


def _exchange(process: subprocess.Popen, said: dict[str, Any], arrays: list[Array], most_bytes: int, answer: Future) -> None:
    try:
        frames.write(cast(BinaryIO, process.stdin), said, arrays)
        answer.set_result(frames.read(cast(BinaryIO, process.stdout), most_bytes))
    except Exception as error:
        answer.set_exception(error)


def _end(process: subprocess.Popen) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        with suppress(OSError):  # what was not yet written goes nowhere
            pipe.close()  # type: ignore[union-attr]


def _bytes(content: bytes) -> Array:
    return np.frombuffer(content, np.uint8)


def _shapes(told: dict[str, Any], unfit: CheckpointError) -> tuple[tuple, dict[str, tuple[int, ...]]]:
    """Shapes of an input and of each output, without the batch, as a worker tells them. Raises `unfit`."""
    given, outputs = told.get("input"), told.get("outputs")
    if not isinstance(given, list) or not all(type(one) in (int, str) for one in given) or not isinstance(outputs, dict):
        raise unfit
    shapes = list(outputs.values())
    if not all(isinstance(one, list) and len(one) < 5 and all(type(side) is int and side > 0 for side in one) for one in shapes):
        raise unfit
    return tuple(given), {name: tuple(shape) for name, shape in outputs.items()}
