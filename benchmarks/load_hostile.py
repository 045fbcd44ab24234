"""The one among the readers of `python -m benchmarks.load --hostile` who wants all of a server's time and memory."""

from __future__ import annotations

import time
import urllib.error
from collections import Counter
from pathlib import Path

import numpy as np

from tests.support.contents import upload_checkpoint
from tests.support.hostile import ENDLESS, bomb, hostile
from tests.support.reader import Reader, Run
from vaead_core.checkpoints import search

SIZES_MB = np.linspace(20, 190, 20).astype(int)  # of files that no page asked for
ENDED = "took longer than"


class Hostile:
    """One session after the other, without a pause. folder: for its checkpoints.

    answers: (what it did, what the server said to that) → how often.
    """

    def __init__(self, folder: Path) -> None:
        self._endless = hostile(search.shipped(), folder / "endless", ENDLESS)
        self._bomb = bomb(search.shipped(), folder / "bomb")
        self._file = bytes(int(SIZES_MB.max()) << 20)
        self.answers: Counter[tuple[str, str]] = Counter()

    @property
    def has_tried(self) -> bool:
        """Whether an endless network ran and was ended, and each of the other things was done."""
        ended = any(ENDED in said for _, said in self.answers)
        return ended and {"calibration bomb", "file that no page asked for"} <= {what for what, _ in self.answers}

    def attack(self, address: str, until: float) -> None:
        """Until the time is over. Whatever it meets is no fault."""
        while time.monotonic() < until:
            try:
                with Reader(address) as reader:
                    reader.run()
                    self._score_without_end(reader)
                    self._note("calibration bomb", upload_checkpoint(reader, self._bomb))
                    self._send_unasked(reader)
            except Exception as error:
                self.answers["session", f"{type(error).__name__}: {error}"] += 1
                time.sleep(1)

    def _score_without_end(self, reader: Reader) -> None:
        taken = upload_checkpoint(reader, self._endless)
        self._note("endless network, uploaded", taken)
        reader.open("Explore")
        reader.set("checkpoint", string_value="endless (yours)")
        self._note("endless network, chosen", reader.run())

    def _send_unasked(self, reader: Reader) -> None:
        for urls, size in zip(reader.addresses(*(f"{size}.nii" for size in SIZES_MB)), SIZES_MB, strict=True):
            try:
                reader.send(urls.upload_url, "scan.nii", self._file[: size << 20])
                said = "taken"
            except urllib.error.HTTPError as error:
                said = f"refused, {error.code}"
                error.close()
            except urllib.error.URLError:
                said = "refused, the connection closed"
            self.answers["file that no page asked for", said] += 1

    def _note(self, what: str, found: Run) -> None:
        said = found.errors or found.sentences or ["nothing"]
        self.answers[what, said[0]] += 1
