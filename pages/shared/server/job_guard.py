"""`python job_guard.py GRACE_SECONDS COMMAND...`: runs a command; ends it, and all that it started, when standard input closes.

The server holds the other end. Whatever way it goes, killed too, the pipe closes, and no job is left that uses the processor.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

NICENESS = 10  # pages come before jobs


def main(grace: float, command: list[str]) -> int:
    """The command's exit status, 128 + number for a signal, as in a shell."""
    os.nice(NICENESS)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    threading.Thread(target=_end_when_left, args=(child.pid, grace), daemon=True).start()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # its number stays its own while what it started is ended
    _signal(child.pid, signal.SIGKILL)
    status = child.wait()
    return status if status >= 0 else 128 - status


def _end_when_left(group: int, grace: float) -> None:
    while os.read(0, 1024):  # nothing is ever written there
        pass
    _signal(group, signal.SIGTERM)
    time.sleep(grace)
    _signal(group, signal.SIGKILL)


def _signal(group: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, number)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), sys.argv[2:]))
