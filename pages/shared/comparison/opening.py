"""The two that are compared, opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pages.shared.cached import pairs
from pages.shared.cached import scans as cached_scans
from pages.shared.cached.scans import OpenScan, OpenTruth
from pages.shared.comparison.asking import CHECKPOINT, NOTHING, SCAN, THRESHOLD, Asked, ask_maps
from pages.shared.scan_input import Request
from vaead_core import scorers
from vaead_core.errors import InputError
from vaead_core.pipeline.cautions import cautions
from vaead_core.pipeline.pair import Side

SAME_SCAN = "Both are the same scan."


@dataclass(frozen=True)
class Pair:
    """kind: what differs, as it is asked for. scans: each as its checkpoint sees it. names: their methods. called: their panels.

    truth: where both are the same scan. about: of the second scan, where it is another. cautions: plain sentences on both.
    """

    kind: str
    scans: tuple[OpenScan, OpenScan]
    names: tuple[str, str]
    called: tuple[str, str]
    truth: OpenTruth | None
    about: str
    cautions: tuple[str, ...]

    @property
    def subject(self) -> str:
        """What it is known by."""
        return " ".join([self.kind, *(part for scan in self.scans for part in scan.digest), *self.names])

    @property
    def sides(self) -> tuple[Side, Side]:
        """Both, as they are measured."""
        first, second = (pairs.side(scan, name) for scan, name in zip(self.scans, self.names, strict=True))
        return first, second

    def told(self, about: str) -> str:
        """What is said of the scans. about: of the first."""
        return f"First: {about} {self.about}" if self.about else about

    @property
    def spacing_mm(self) -> int:
        """Of the atlas grid that both are shown on: the first one's."""
        return self.scans[0].preprocessor.spacing_mm


def tried(
    asked: Asked, request: Request, scan: OpenScan, truth: OpenTruth | None, methods: Sequence[str]
) -> tuple[Pair | None, InputError | None]:
    """As `open_pair`; None where nothing is compared yet, with what is wrong: the first can be shown alone."""
    if asked.kind == NOTHING or asked.lacking:
        return None, None
    try:
        return open_pair(asked, request, scan, truth, methods), None
    except InputError as error:
        return None, error


def open_pair(asked: Asked, request: Request, scan: OpenScan, truth: OpenTruth | None, methods: Sequence[str]) -> Pair:
    """request, scan, truth, methods: what Explore shows. Raises InputError."""
    second, about, said = scan, "", []
    called = ("First threshold", "Second threshold")
    if asked.kind == CHECKPOINT and asked.folder:
        other = cached_scans.checkpoint(asked.folder)
        second = cached_scans.open_scan(scan.scan_digest, scan.volume, other, scan.scale)
        called = (f"First: {scan.checkpoint.name}", f"Second: {other.name}")
        if scan.site:
            said.append(f"{other.name} is not calibrated for {scan.site.name}: its thresholds are those of its training site.")
    if asked.kind == SCAN and asked.scan:
        opened = asked.scan.read()
        second = cached_scans.open_scan(opened.key, opened.volume, scan.checkpoint, scan.scale, scan.site)
        called = (f"First: {request.called}", f"Second: {asked.scan.called}")
        about = f"Second: {opened.about} {second.lies}"
        said += [f"Second: {one}" for one in opened.sentences] + [SAME_SCAN] * (opened.key == scan.scan_digest)
    names = ask_maps(asked, methods, second.checkpoint)
    if names[0] != names[1]:
        one, other_title = (scorers.SCORERS[name].title for name in names)
        called = (f"{called[0]}, {one}", f"{called[1]}, {other_title}")
    found = Pair(asked.kind, (scan, second), names, called, truth if asked.kind != SCAN else None, about, ())
    return replace(found, cautions=(*said, *_cautions(found)))


def _cautions(pair: Pair) -> list[str]:
    """What both give cause for is said once."""
    first, second = (cautions(side.prepared, [side.scored], side.checkpoint) for side in pair.sides)
    if pair.kind == THRESHOLD:
        return first
    both = [one for one in first if one in second]
    told = [("Both", both), ("First", first), ("Second", second)]
    return [f"{which}: {one}" for which, said in told for one in said if which == "Both" or one not in both]
