"""A server's process seen from outside, as Linux tells it."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path


class ServerProcess:
    """most_megabytes: of resident memory, read twice a second."""

    def __init__(self, pid: int) -> None:
        self._folder, self.most_megabytes = Path(f"/proc/{pid}"), 0.0
        threading.Thread(target=self._follow, daemon=True).start()

    @property
    def megabytes(self) -> float:
        """Resident memory."""
        return int((self._folder / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)

    @property
    def work_seconds(self) -> float:
        """Of processor time, by all its threads, since it began."""
        words = (self._folder / "stat").read_text().rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def _follow(self) -> None:
        try:
            while True:
                self.most_megabytes = max(self.most_megabytes, self.megabytes)
                time.sleep(0.5)
        except OSError:
            return  # it has ended
