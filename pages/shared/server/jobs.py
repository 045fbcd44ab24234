"""Background jobs: subprocesses of one session, which go on while its reader looks at other pages, and end with the session.

    jobs.start("evaluation", [sys.executable, "-m", ...], "Slices, 2 subjects", listen)    # InputError when too many run
    job = jobs.find("evaluation")                                                           # on every run; None before
    if job: jobs.show(job)                                                                  # follows by itself, with Cancel
"""  # fmt: skip

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, Any, Protocol, cast

import streamlit as st

from pages.shared.notices import plain
from pages.shared.server import audit, sessions, told
from vaead_core.checkpoints.search import APART
from vaead_core.errors import InputError

MOST_RUNNING = 2  # on the whole server
THREADS = max(1, (os.cpu_count() or 1) // MOST_RUNNING)
LINES, LINE_LENGTH = 200, 500
GRACE_SECONDS = 5.0  # between SIGTERM and SIGKILL
RUNNING, FINISHED, FAILED, CANCELLED = "running", "finished", "failed", "cancelled"

_ROOT = Path(__file__).resolve().parents[3]
_GUARD = Path(__file__).with_name("job_guard.py")
_POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
_running: set[Job] = set()
_starting = threading.Lock()

Listen = Callable[[str], float | None]


class Job:
    """A command that runs in the repository's root. listen: is given each line; the share (0 to 1) that is done, or None.

    at_end: called once it has ended, in whatever way. ended: is given its state then.
    """

    def __init__(
        self,
        command: list[str],
        title: str,
        listen: Listen | None = None,
        at_end: Callable[[], None] = lambda: None,
        ended: Callable[[str], None] = lambda state: None,
    ) -> None:
        self.title, self.began, self.cancelling = title, time.monotonic(), False
        self.share: float | None = None
        self.stage = told.STARTING
        self._ended: float | None = None
        self._listen, self._at_end, self._told = listen, at_end, ended
        self._lines: deque[str] = deque(maxlen=LINES)
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-E", str(_GUARD), str(GRACE_SECONDS), *command], cwd=_ROOT, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            env=os.environ | dict.fromkeys(_POOLS, str(THREADS)) | {"PYTHONUNBUFFERED": "1", "COLUMNS": "200", APART: "1"},
        )  # fmt: skip
        self._stdin, self._stdout = cast(IO[str], self._process.stdin), cast(IO[str], self._process.stdout)  # pipes, both
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        threading.Thread(target=self._watch, daemon=True).start()

    @property
    def state(self) -> str:
        """RUNNING, FINISHED, FAILED or CANCELLED."""
        if self._ended is None:
            return RUNNING
        return CANCELLED if self.cancelling else FAILED if self._process.returncode else FINISHED

    @property
    def lines(self) -> list[str]:
        """The last LINES lines that it printed."""
        return list(self._lines)

    @property
    def elapsed(self) -> float:
        """Seconds since its start, or those that it took."""
        return (self._ended or time.monotonic()) - self.began

    @property
    def last_sentence(self) -> str:
        """Its last line that is not empty."""
        said = [line for line in self.lines if line.strip()]
        return said[-1].strip() if said else f"It ended with status {self._process.returncode} and said nothing."

    def cancel(self) -> None:
        """Asks the command and all that it started to end, and ends them after GRACE_SECONDS. Returns at once."""
        if self._ended is None:
            self.cancelling = True
            self._stdin.close()

    def wait(self, seconds: float) -> str:
        """The state when it has ended, or after `seconds`."""
        deadline = time.monotonic() + seconds
        while self._ended is None and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.state

    def _read(self) -> None:
        for line in iter(lambda: self._stdout.readline(LINE_LENGTH), ""):
            if stage := told.stage(line):
                self.stage = stage
                continue
            self.stage = self.stage if self.stage != told.STARTING else ""
            self._lines.append(line.rstrip("\n"))
            share = self._listen(line) if self._listen else None
            self.share = self.share if share is None else min(max(share, 0.0), 1.0)

    def _watch(self) -> None:
        self._process.wait()
        self._reader.join(2)
        self._at_end()
        self._ended = time.monotonic()
        self._told(self.state)
        _running.discard(self)


def start(
    key: str, command: list[str], title: str, listen: Listen | None = None, at_end: Callable[[], None] = lambda: None
) -> Job:
    """Starts this session's job `key`, instead of one that has ended. Raises InputError when it or too many others still run."""
    with _starting:
        known = find(key)
        if known and known.state == RUNNING:
            raise InputError(f"{known.title} still runs; wait for it, or cancel it first.")
        if len(_running) >= MOST_RUNNING:
            raise InputError(f"{MOST_RUNNING} jobs run on this server already, which is the most it takes; try again later.")
        note = partial(audit.of_this_session(), f"job {key}")
        note("started")
        job = Job(command, title, listen, at_end, note)
        _running.add(job)
        if job.state != RUNNING:
            _running.discard(job)
    if "jobs" not in st.session_state:
        st.session_state.jobs = {}
        sessions.at_end(partial(_end, st.session_state.jobs))
    st.session_state.jobs[key] = job
    follow(key, job)
    return job


def find(key: str) -> Job | None:
    """This session's job `key`."""
    return st.session_state.get("jobs", {}).get(key)


def _end(known: dict[str, Job]) -> None:
    for job in known.values():
        job.cancel()
    for job in known.values():
        job.wait(1)


class Followed(Protocol):
    """What `show` shows: a job, or anything else that goes on in the background."""

    title: str
    cancelling: bool
    share: float | None
    stage: str

    @property
    def state(self) -> str: ...
    @property
    def elapsed(self) -> float: ...
    @property
    def lines(self) -> list[str]: ...
    @property
    def last_sentence(self) -> str: ...
    def cancel(self) -> None: ...


def show(job: Followed, more: Callable[[], None] = lambda: None) -> None:
    """The job: state, time, share done, last lines, Cancel. Follows it each second; when it has ended the page runs again.

    more: draws what else follows the job.
    """
    began_running = job.state == RUNNING

    def draw() -> None:
        if began_running and job.state != RUNNING:
            st.rerun()
        _draw(job)
        more()

    st.fragment(draw, run_every=1 if began_running else None)()


def follow(key: str, job: Followed) -> None:
    """Its state is told on every page from now on, beside those of other keys."""
    st.session_state.setdefault("followed", {})[key] = job


def show_followed() -> None:
    """In the sidebar: what runs for this session, followed by itself; what has ended since the page was opened."""
    state = st.session_state
    state.followed = {key: job for key, job in state.get("followed", {}).items() if job.state == RUNNING}  # others are let go
    running = list(state.followed.values())
    with st.sidebar.container():  # there without jobs too, so that what follows keeps its place
        if running:
            st.fragment(partial(_draw_followed, running), run_every=2)()


def _draw_followed(known: list[Followed]) -> None:
    for job in known:
        if job.state == RUNNING:
            st.progress(job.share or 0.0, plain(job.title + (_far(job) or " runs")))
        else:
            st.caption(plain(f"{job.title}: {job.state}"))


def _far(job: Followed) -> str:
    """The share that is done and the stage; "" where neither is known."""
    return ("" if job.share is None else f", {job.share:.0%}") + (f", {job.stage}" if job.stage else "")


def _took(job: Followed) -> str:
    return f"{job.elapsed:.0f} s" if job.elapsed < 90 else f"{job.elapsed / 60:.1f} min"


def _draw(job: Followed) -> None:
    took = _took(job)
    if job.state == RUNNING:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(job.share or 0.0, plain(f"{job.title}: {took}{_far(job)}"))
            stopping: dict[str, Any] = {"disabled": True, "help": "It is being ended."} if job.cancelling else {}
            st.button("Cancel", key=f"cancel_{id(job)}", on_click=job.cancel, icon=":material/stop_circle:", **stopping)
    elif job.state == FINISHED:
        st.success(plain(f"{job.title} finished after {took}."))
    elif job.state == CANCELLED:
        st.info(plain(f"{job.title} was cancelled after {took}."))
    else:
        st.error(plain(f"{job.title} failed after {took}. {job.last_sentence}"))
    if job.lines:
        with st.expander("Log"):
            st.code("\n".join(job.lines[-12:]), language=None, wrap_lines=True)
