"""Mistakes a user can make, said in one plain sentence each. Pages and the command line show `str(error)`.

A machine's faults have their sentences too: no memory, no room on a disk, a file that is gone.
"""

import sys
from collections.abc import Callable
from pathlib import Path


class InputError(Exception):
    """What was given cannot be used: the rule, what was found, what to do."""


class ScanError(InputError):
    """A scan that cannot be read or scored."""


class CheckpointError(InputError):
    """A checkpoint folder that is incomplete, altered or foreign."""


class CohortError(InputError):
    """A data folder or data set that cannot be used for training or evaluation."""


def fault(error: BaseException) -> str | None:
    """The sentence for what the machine lacks; None when `error` says no such thing."""
    if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and _is_of_memory(str(error).lower())):
        return "There is not enough memory for this; crop or resample the scan, or try again later."
    if isinstance(error, OSError):
        return f"A file could not be read or written ({error.strerror or error}); try again, or tell whoever runs this server."
    return None


def _is_of_memory(said: str) -> bool:
    """ITK, ONNX Runtime and threads have no MemoryError."""
    return "alloc" in said or "start new thread" in said


def exit_status(work: Callable[[], None], out: Path, kept: str) -> int:
    """0, or 2 with one sentence on stderr when `work` meets a user's mistake, `out` cannot be written or memory is short.

    kept: what that sentence says of earlier work.
    """
    try:
        work()
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{out} could not be written ({error.strerror}); {kept}.", file=sys.stderr)
        return 2
    except (MemoryError, RuntimeError) as error:
        if (said := fault(error)) is None:
            raise
        print(said, file=sys.stderr)
        return 2
    return 0
