"""Mistakes a user can make, said in one plain sentence each. Pages and the command line show `str(error)`."""

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


def exit_status(work: Callable[[], None], out: Path, kept: str) -> int:
    """0, or 2 with one sentence on stderr when `work` meets a user's mistake or `out` cannot be written.

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
    return 0
