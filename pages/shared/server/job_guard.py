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
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)  # Windows has one way to end a process


def main(grace: float, command: list[str]) -> int:
    """The command's exit status, 128 + number for a signal, as in a shell."""
    if hasattr(os, "nice"):  # not on Windows
        os.nice(NICENESS)
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as first_to_end:  # where memory ends; Linux alone has it
        first_to_end.write("1000")
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    threading.Thread(target=_end_when_left, args=(child, grace), daemon=True).start()
    if hasattr(os, "waitid"):  # its number stays its own while what it started is ended
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    else:
        child.wait()
    _signal(child, _KILL)
    status = child.wait()
    return status if status >= 0 else 128 - status


def _end_when_left(child: subprocess.Popen, grace: float) -> None:
    while os.read(0, 1024):  # nothing is ever written there
        pass
    _signal(child, signal.SIGTERM)
    time.sleep(grace)
    _signal(child, _KILL)


def _signal(child: subprocess.Popen, number: int) -> None:
    """To it and all that it started; on Windows, which has no groups of processes, it alone is ended."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError):
            os.killpg(child.pid, number)
    else:
        child.terminate()


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), sys.argv[2:]))
