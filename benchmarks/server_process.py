"""A server's process, with those that it runs uploaded networks in, seen from outside, as Linux tells it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tests.support.hostile import workers


class ServerProcess:
    """most_megabytes: of resident memory, read twice a second."""

    def __init__(self, pid: int) -> None:
        self._pid, self.most_megabytes = pid, 0.0
        threading.Thread(target=self._follow, daemon=True).start()

    @property
    def megabytes(self) -> float:
        """Resident memory; what processes share counts for each."""
        pages = sum(int(text.split()[1]) for text in self._told("statm"))
        return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)

    @property
    def work_seconds(self) -> float:
        """Of processor time, by all threads, since they began."""
        words = [text.rsplit(")", 1)[1].split() for text in self._told("stat")]
        return sum(int(told[11]) + int(told[12]) for told in words) / os.sysconf("SC_CLK_TCK")

    def _told(self, what: str) -> Iterator[str]:
        """Raises OSError where the server has ended."""
        yield Path(f"/proc/{self._pid}/{what}").read_text()
        for worker in workers(self._pid):
            with suppress(OSError):  # it has ended
                yield Path(f"/proc/{worker}/{what}").read_text()

    def _follow(self) -> None:
        try:
            while True:
                self.most_megabytes = max(self.most_megabytes, self.megabytes)
                time.sleep(0.5)
        except OSError:
            return  # it has ended
