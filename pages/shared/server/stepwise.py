"""Work of one session in a thread of this server: each step takes a turn as pages do, so that they come in between.

    work = Stepwise("Detection limits", steps(), lambda told: told.share)    # begins at once
    jobs.show(work, lambda: draw(work.latest))                               # follows by itself, with Cancel
"""  # fmt: skip

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from pages.shared.notices import sentence
from pages.shared.server import memory, queue, streamlit_private
from pages.shared.server.jobs import CANCELLED, FAILED, FINISHED, RUNNING

AWAY_SECONDS = 5.0  # without its reader, and the work ends
_WAIT_SECONDS = 2.0  # for its last step, as its session ends

T = TypeVar("T")


class Stepwise(Generic[T]):
    """steps: what each gives is `latest` until the next. share: of the work (0 to 1), by what a step gave. ended: as of jobs.

    Whoever begins it ends it with its session; it ends when its reader has been away for AWAY_SECONDS too.
    """

    def __init__(
        self, title: str, steps: Iterator[T], share: Callable[[T], float], ended: Callable[[str], None] = lambda state: None
    ) -> None:
        self.title, self.began, self.cancelling = title, time.monotonic(), False
        self.share: float | None = None
        self.stage = ""
        self.latest: T | None = None
        self.lines: list[str] = []  # it prints none
        self.last_sentence = ""
        self._ended: float | None = None
        self._state = RUNNING
        self._share, self._told, self._session = share, ended, streamlit_private.session()
        self._thread = threading.Thread(target=self._run, args=(steps,), daemon=True)
        self._thread.start()

    @property
    def state(self) -> str:
        """RUNNING, FINISHED, FAILED or CANCELLED, as of jobs."""
        return self._state

    @property
    def elapsed(self) -> float:
        """Seconds since its start, or those that it took."""
        return (self._ended or time.monotonic()) - self.began

    def cancel(self) -> None:
        """No further step is begun. Returns at once."""
        self.cancelling = self.cancelling or self._state == RUNNING

    def end(self) -> None:
        """The same, and waits for the step that is being taken."""
        self.cancel()
        self._thread.join(_WAIT_SECONDS)

    def _run(self, steps: Iterator[T]) -> None:
        seen, state = time.monotonic(), FINISHED
        try:
            while True:
                seen = time.monotonic() if self._has_reader() else seen
                if self.cancelling or time.monotonic() - seen > AWAY_SECONDS:
                    state = CANCELLED
                    break
                with queue.turn():
                    memory.refuse_when_short()
                    latest = next(steps, None)
                if latest is None:
                    break
                self.share, self.latest = self._share(latest), latest
        except Exception as error:
            state, self.last_sentence = FAILED, sentence(error) or _unforeseen(error)
        self._ended, self._state = time.monotonic(), state
        self._told(state)

    def _has_reader(self) -> bool:
        return not self._session or streamlit_private.is_open(self._session)


def _unforeseen(error: Exception) -> str:
    traceback.print_exception(error, file=sys.stderr)
    return f"vaead failed here as nobody foresaw ({type(error).__name__}); please tell whoever runs this server."
