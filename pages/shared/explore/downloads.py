"""The files that the Explore page makes when they are asked for."""

from __future__ import annotations

from collections.abc import Callable

from pages.shared.cached import scans as cached_scans
from pages.shared.explore.shown import FIRST_RATE, Shown
from pages.shared.server import memory, queue
from pages.shared.viewer import Voxel
from vaead_core import scorers
from vaead_core.figures.report import Finding, scan_report
from vaead_core.figures.scan import ShownMap
from vaead_core.figures.sheet import Sheet, png, svg
from vaead_core.figures.slide_layout import Look
from vaead_core.figures.slide_map import SlideMap
from vaead_core.figures.slides import DOTS_PER_INCH, slide
from vaead_core.pipeline.findings import Verdict
from vaead_core.pipeline.limits.table import Limits
from vaead_core.pipeline.scoring import Scored
from vaead_core.study.derivatives import Reader
from vaead_core.study.scan_zip import scan_zip


def figure(shown: Shown, look: Look) -> Sheet:
    """Slices of the scan and of each map, for a talk or a paper."""
    maps = [SlideMap.of(one, cached_scans.native(shown.scan, one.name), shown.threshold(one)) for one in shown.results]
    return slide(shown.scan.volume, maps, look, shown.marked)


def figure_png(shown: Shown, look: Look) -> bytes:
    """The same as a file of pixels."""
    return png(figure(shown, look).figure, DOTS_PER_INCH)


def figure_svg(shown: Shown, look: Look) -> bytes:
    """The same as a file of shapes and letters, which other programs can change."""
    return svg(figure(shown, look).figure, DOTS_PER_INCH)


def report(shown: Shown, limits: list[Limits]) -> str:
    """The HTML report. limits: those that were measured of the scan."""
    findings = [Finding(one, _drawn(shown, one)) for one in shown.results]
    return scan_report(shown.scan.prepared, shown.scan.checkpoint, findings, shown.marked, limits)


def everything(shown: Shown, verdicts: dict[str, Callable[[Voxel], Verdict]], content: bytes | None, mask: bytes | None) -> bytes:
    """A .zip of what the participant stage would write of the scan. verdicts: by method. content, mask: of the files."""
    moved = {one.name: at for one in shown.results if (at := shown.threshold(one)) != one.thresholds[FIRST_RATE]}
    reader = Reader(moved, lambda name, voxel: verdicts[name](voxel))
    scan = shown.scan
    with queue.turn():
        memory.refuse_when_short()
        return scan_zip(
            scan.volume.name, scan.prepared, shown.results, scan.checkpoint, scan.scale, FIRST_RATE, reader, content, mask
        )


def _drawn(shown: Shown, one: Scored) -> ShownMap:
    return ShownMap.of(one, scorers.abnormality(one.name, cached_scans.native(shown.scan, one.name)), shown.threshold(one))
