"""Mistakes a user can make, said in one plain sentence each. Pages show `str(error)`, the command line also what to run.

A machine's faults have their sentences too: no memory, no room on a disk, a file that is gone.
"""

import errno
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_WRITING = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)


class InputError(Exception):
    """What was given cannot be used: the rule, what was found, what to do there. command: what to run in a terminal, if that
    helps.

    >>> InputError("It is not calibrated; choose another.", command="python -m training.publish").in_terminal
    'It is not calibrated; choose another. Or run: python -m training.publish'
    """  # fmt: skip

    def __init__(self, sentence: str, command: str = "") -> None:
        super().__init__(sentence)
        self.command = command

    def __reduce__(self) -> tuple[Callable, tuple]:
        """How it comes back from another process, whatever a kind of it holds besides."""
        return _again, (type(self), str(self), vars(self))

    @property
    def in_terminal(self) -> str:
        """The sentence, with the command where there is one."""
        return f"{self} Or run: {self.command}" if self.command else str(self)


def quoted(text: object, most: int = 64) -> str:
    """What somebody else wrote, for a sentence: `most` signs of one line, each one that cannot be printed a "?".

    >>> quoted("a\\0b"), quoted("UID" * 1000, most=5)
    ('a?b', 'UIDUI…')
    """
    said = str(text)[: most + 1]
    line = "".join(sign if sign.isprintable() else "?" for sign in said[:most])
    return line + "…" if len(said) > most else line


def _again(kind: type[InputError], sentence: str, held: dict[str, Any]) -> InputError:
    error = kind.__new__(kind, sentence)
    vars(error).update(held)
    return error


class ScanError(InputError):
    """A scan that cannot be read or scored."""


class CheckpointError(InputError):
    """A checkpoint folder that is incomplete, altered or foreign."""


class CohortError(InputError):
    """A data folder or data set that cannot be used for training or evaluation."""


def fault(error: BaseException) -> str | None:
    """The sentence for what the machine lacks; None when `error` says no such thing."""
    if isinstance(error, MemoryError) or (_is_of_a_library(error) and _is_of_memory(str(error).lower())):
        return "There is not enough memory for this; crop or resample the scan, or try again later."
    if isinstance(error, OSError):
        return f"A file could not be read or written ({error.strerror or error}); try again, or tell whoever runs this server."
    return None


def _is_of_a_library(error: BaseException) -> bool:
    """Of one that has no MemoryError: ITK, torch and threads, or ONNX Runtime, whose errors have types of their own."""
    return isinstance(error, RuntimeError) or type(error).__module__.startswith("onnxruntime.")


def _is_of_memory(said: str) -> bool:
    return "alloc" in said or "start new thread" in said


@contextmanager
def refusing(refusal: InputError, *damage: type[Exception]) -> Iterator[None]:
    """Raises `refusal` in place of what damaged or foreign input makes its reader raise: one of `damage`, else anything.

    An InputError and the machine's faults come through as they are: nobody shall copy again what is whole.
    """
    try:
        yield
    except Exception as error:
        if damage and not isinstance(error, damage):
            raise
        if isinstance(error, InputError) or (fault(error) and not _is_of_input(error)):
            raise
        raise refusal from error


def _is_of_input(error: BaseException) -> bool:
    """A missing file, or an OSError that no system raised but a parser, such as gzip's; whoever sends a download, too."""
    missing = FileNotFoundError | NotADirectoryError | IsADirectoryError
    return isinstance(error, OSError) and (error.errno is None or isinstance(error, missing | ConnectionError | TimeoutError))


def exit_status(work: Callable[[], None], out: Path, kept: str) -> int:
    """0, or 2 with one sentence on stderr when `work` meets a user's mistake, `out` cannot be written or the machine has a fault.

    kept: what that sentence says of earlier work.
    """
    try:
        work()
    except InputError as error:
        print(error.in_terminal, file=sys.stderr)
        return 2
    except Exception as error:
        if (said := fault(error)) is None:
            raise
        print(_of_file(error, out, kept) if isinstance(error, OSError) else said, file=sys.stderr)
        return 2
    return 0


def _of_file(error: OSError, out: Path, kept: str) -> str:
    """Only a disk that takes nothing more is known to have been written to."""
    if error.errno in _WRITING:
        return f"{out} could not be written ({error.strerror}); {kept}."
    return f"{error.filename or 'A file'} could not be read or written ({error.strerror or error}); {kept}."
