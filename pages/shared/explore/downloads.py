"""The files that the Explore page makes when they are asked for."""

from __future__ import annotations

from pages.shared.cached import scans as cached_scans
from pages.shared.explore.shown import Shown
from vaead_core import scorers
from vaead_core.figures.report import Finding, scan_report
from vaead_core.figures.scan import ShownMap, panels_png
from vaead_core.pipeline.scoring import Scored


def picture(shown: Shown, k: int) -> bytes:
    """Axial slice k of the scan and of each map, as PNG."""
    return panels_png(shown.scan.volume, [_drawn(shown, one) for one in shown.results], [k], shown.marked)


def report(shown: Shown) -> str:
    """The HTML report."""
    findings = [Finding(one, _drawn(shown, one)) for one in shown.results]
    return scan_report(shown.scan.prepared, shown.scan.checkpoint, findings, shown.marked)


def _drawn(shown: Shown, one: Scored) -> ShownMap:
    return ShownMap.of(one, scorers.abnormality(one.name, cached_scans.native(shown.scan, one.name)), shown.threshold(one))
