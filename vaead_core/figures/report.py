"""One self-contained HTML page on a scan: pictures, scores, settings, versions, checksums. It opens offline."""

from __future__ import annotations

import base64
import hashlib
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from importlib.metadata import version

from vaead_core import __version__, scorers
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.figures.html_table import html_table
from vaead_core.figures.limits import report_part
from vaead_core.figures.scan import ShownMap, panels_png
from vaead_core.measures.aggregates import DEFAULT
from vaead_core.measures.components import clusters
from vaead_core.pipeline.cautions import cautions
from vaead_core.pipeline.limits.places import in_scan
from vaead_core.pipeline.limits.table import Limits
from vaead_core.pipeline.scoring import PreparedScan, Scored
from vaead_core.scans.registration import atlas_grid
from vaead_core.scans.volume import Array

PICTURES = 6
CLUSTERS = 5
_STYLE = """
body { background: #111; color: #eee; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 1100px; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; } td, th { padding: .25rem .8rem .25rem 0; text-align: left; }
th { color: #9aa0a6; font-weight: 500; } img { width: 100%; } .note { color: #ffd76a; }
code { font-size: 12px; word-break: break-all; }
"""


@dataclass(frozen=True)
class Finding:
    """One method's scores, and its map on the scan's own grid."""

    result: Scored
    shown: ShownMap


def scan_report(
    prepared: PreparedScan,
    checkpoint: Checkpoint,
    findings: list[Finding],
    truth: Array | None = None,
    limits: Sequence[Limits] = (),
) -> str:
    """The page. The scan is named by its checksum alone, as file names can hold a patient's. limits: as they were measured."""
    scan = prepared.brain.scan
    said = cautions(prepared, [one.result for one in findings], checkpoint)
    picture = panels_png(scan, [one.shown for one in findings], scan.middle_slices(PICTURES), truth)
    parts = [
        "<h1>Anomaly maps of a brain scan</h1>",
        "<p><b>Research use only, not for diagnosis.</b> Percentiles compare with healthy scans and are no "
        "probabilities of disease.</p>",
        *(f"<p class=note>{escape(sentence)}</p>" for sentence in said),
        f"<img alt='Axial slices of the scan and of each map' src='data:image/png;base64,{base64.b64encode(picture).decode()}'>",
        "<p>The patient's left is on the right. Each map is drawn above its threshold.</p>",
        "<h2>Scores</h2>", _scores(findings), "<h2>Largest clusters</h2>", _clusters(findings, scan.affine),
        _limits(prepared, checkpoint, limits),
        "<h2>Methods</h2>", *(f"<p><b>{_title(one)}.</b> {escape(scorers.help_text(one.result.name))}</p>" for one in findings),
        "<h2>Settings, versions, checksums</h2>", _provenance(prepared, checkpoint, findings),
    ]  # fmt: skip
    head = f"<meta charset=utf-8><title>vaead report</title><style>{_STYLE}</style>"
    return f"<!doctype html><html lang=en>{head}{''.join(parts)}</html>"


def _scores(findings: list[Finding]) -> str:
    rows = (
        (
            _title(one), f"{one.result.scan[DEFAULT]:.4g}", escape(one.shown.unit),
            f"{one.result.scan_percentiles[DEFAULT]:.0f}", f"{one.shown.threshold:.4g}", escape(one.result.compared_with),
        )
        for one in findings
    )  # fmt: skip
    heads = (
        "Method",
        "Score (mean of the top 10 % a slice)",
        "Unit",
        "Percentile among healthy scans",
        "Threshold",
        "Compared on",
    )
    return html_table(heads, rows)


def _clusters(findings: list[Finding], affine: Array) -> str:
    rows = (
        (
            _title(one), f"{cluster.volume_ml:.2f}", f"{cluster.peak:.4g}",
            " ".join(map(str, cluster.voxel)), " ".join(f"{at:.1f}" for at in cluster.peak_mm),
        )
        for one in findings
        for cluster in clusters(one.shown.values, one.shown.threshold, affine, CLUSTERS)
    )  # fmt: skip
    return html_table(("Method", "Volume, ml", "Peak", "Peak's voxel, RAS+", "Peak, mm (R A S)"), rows)


def _limits(prepared: PreparedScan, checkpoint: Checkpoint, limits: Sequence[Limits]) -> str:
    if checkpoint.preprocessor is None or not limits:
        return ""
    grid = atlas_grid(int(checkpoint.preprocessor.spacing_mm))
    return report_part([(one, in_scan(one, prepared, checkpoint.preprocessor)) for one in limits], grid)


def _provenance(prepared: PreparedScan, checkpoint: Checkpoint, findings: list[Finding]) -> str:
    packages = ("numpy", "scipy", "onnxruntime", "SimpleITK", "nibabel")
    about = {
        "Written": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "Checkpoint": checkpoint.name,
        "Checkpoint, digest": checkpoint.digest,
        "Preprocessing": str(checkpoint.preprocessor),
        "Healthy scans behind percentiles": _healthy(findings[0].result),
        "Scan's grid": f"{'×'.join(map(str, prepared.brain.scan.data.shape))} voxels of "
        + " × ".join(f"{step:.2f}" for step in prepared.brain.scan.spacing_mm) + " mm",
        "Scan's voxels, SHA-256": _digest(prepared.brain.scan.data),
        **{f"{one.shown.title}, map's SHA-256": _digest(one.shown.values) for one in findings},
        "Versions": ", ".join(
            [f"vaead {__version__}", f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in packages)]
        ),
    }  # fmt: skip
    return html_table(("", ""), ((escape(name), f"<code>{escape(value)}</code>") for name, value in about.items()))


def _healthy(one: Scored) -> str:
    """How many, and whose where they are a site's."""
    count = str(len(one.healthy.scans[DEFAULT]))
    return f"{count}, of the site {one.site.name}, calibration's digest {one.site.digest}" if one.site else count


def _digest(values: Array) -> str:
    return hashlib.sha256(values.astype("<f4").tobytes()).hexdigest()


def _title(one: Finding) -> str:
    return escape(one.shown.title)
