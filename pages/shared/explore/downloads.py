"""The files that the Explore page makes when they are asked for."""

from __future__ import annotations

from pages.shared.explore.panels import Opened
from vaead_core import scorers
from vaead_core.checkpoints.calibration import FULL_RATE
from vaead_core.figures.report import Finding, scan_report
from vaead_core.figures.scan import ShownMap, panels_png
from vaead_core.pipeline.scoring import Scored


def picture(scan: Opened, k: int) -> bytes:
    """Axial slice k of the scan and of each map, as PNG."""
    volume = scan.prepared.brain.scan
    return panels_png(volume.data, volume.spacing_mm, [_shown(scan, one) for one in scan.results], [k], scan.truth)


def report(scan: Opened) -> str:
    """The HTML report."""
    findings = [Finding(one, _shown(scan, one)) for one in scan.results]
    return scan_report(scan.prepared, scan.checkpoint, findings, scan.truth)


def _shown(scan: Opened, one: Scored) -> ShownMap:
    kind, threshold = scorers.SCORERS[one.name], scan.threshold(one)
    full = max(scan.checkpoint.calibration[one.name].threshold(FULL_RATE), 1.2 * threshold)
    return ShownMap(kind.title, kind.unit, scorers.abnormality(one.name, scan.native(one)), threshold, full)
