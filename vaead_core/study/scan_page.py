"""The page of one scan: how it lies, its maps, scores and clusters, or why it has none. It opens offline."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.colors import to_hex

from vaead_core import scorers
from vaead_core.figures.html_table import html_table
from vaead_core.figures.scan import COLOURS
from vaead_core.scans.image_quality import MEASURES
from vaead_core.study.names import BidsName

_STYLE = """
body { background: #fff; color: #1b1f24; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 980px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; overflow-wrap: anywhere; } h2 { font-size: 1.1rem; margin: 1.8rem 0 .4rem; }
table { border-collapse: collapse; margin: .5rem 0 1rem; font-variant-numeric: tabular-nums; }
td, th { padding: .25rem 1rem .25rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid #e3e6ea; }
th { font-weight: 600; color: #4a5361; } td { overflow-wrap: anywhere; } img { width: 100%; display: block; background: #000; }
.use { color: #4a5361; } .note, .failed { padding: .6rem .9rem; border-left: 4px solid #b7791f; background: #fdf6e3; }
.failed { border-color: #b42318; background: #fdecea; } figure { margin: 0; } figcaption { color: #4a5361; font-size: 13px; }
i { display: inline-block; width: 6rem; height: .7rem; background: linear-gradient(to right, COLOURS); }
@media print { body { margin: 0; max-width: none; } h2 { break-after: avoid; } figure, tr { break-inside: avoid; } }
"""
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_FOUND_BY = {
    "background": "the file holds nothing else",
    "mask": "by a mask of derivatives",
    "networks": "by networks, in a whole head; check its outline",
}


def scan_page(record: dict[str, Any], picture: bytes | None) -> str:
    """HTML that asks nothing of any other file. record: of the scan. picture: its mosaic; None where it has no maps."""
    name = BidsName(tuple(record["entities"].items()), "T1w").scan
    parts = [
        f"<h1>{escape(name)}</h1>",
        "<p class=use><b>Research use only, not for diagnosis.</b> Percentiles compare with healthy scans and are no "
        "probabilities of disease.</p>",
    ]
    if picture is None:
        parts.append(f"<p class=failed><b>No maps.</b> {escape(record['sentence'])}</p>")
    else:
        parts += _results(record, picture)
    parts += ["<h2>What it was made of</h2>", _made_of(record)]
    head = f'<meta charset=utf-8><meta http-equiv=Content-Security-Policy content="{_POLICY}"><title>{escape(name)}</title>'
    return f"<!doctype html><html lang=en><head>{head}<style>{_style()}</style></head><body>{''.join(parts)}</body></html>\n"


def _results(record: dict[str, Any], picture: bytes) -> Iterator[str]:
    for sentence in record["warnings"]:
        yield f"<p class=note>{escape(sentence)}</p>"
    rows = ", ".join(escape(scorers.SCORERS[name].title) for name in record["found"])
    yield (
        f"<figure><img alt='Axial slices of the scan and of its maps: {rows}' "
        f"src='data:image/webp;base64,{base64.b64encode(picture).decode()}'><figcaption>Axial slices, the patient's left on the "
        f"right: the scan, and over it {rows or 'no map'}. The last slice of a map goes through the peak of its largest cluster. "
        "Each is drawn above its threshold, which is outlined.</figcaption></figure>"
    )
    yield "<h2>Scores</h2>"
    yield _scores(record)
    yield "<h2>Largest clusters</h2>"
    yield _clusters(record)
    yield "<p class=use>All of them are in the tables *_dseg.tsv beside the maps.</p>"
    yield "<h2>How it lies on the atlas</h2>"
    yield _placement(record)


def _scores(record: dict[str, Any]) -> str:
    default, healthy = record["aggregates"]["default"], 100 * (1 - record["made_of"]["rate"])
    among, below = (
        f"Percentile among {record['healthy_scans']} healthy scans",
        f"Threshold ({healthy:g} % of healthy voxels below)",
    )
    heads = ("Method", "Score", among, "Compared on", below, "Above it", "Colours")
    rows = []
    for name, one in record["scorers"].items():
        unit, found, whose = escape(one["unit"]), record["found"].get(name), escape(record["compared_with"][name])
        above = ("no map", "", "")
        if found:
            moved = ", moved by a reader" if found.get("threshold_moved") else ""
            above = (
                f"{found['threshold']:.3g} {unit}{moved}", f"{found['volume_ml']:.1f} mL, {found['clusters']} clusters",
                f"<i></i><br>0 to {found['full_colour']:.3g} {unit}",
            )  # fmt: skip
        percentile = f"{one['scan_percentile'][default]:.1f}"
        rows.append((_title(name), f"{one['scan'][default]:.3g} {unit}", percentile, whose, *above))
    return html_table(heads, rows)


def _clusters(record: dict[str, Any]) -> str:
    heads = ("Method", "Cluster", "Volume, mL", "Peak", "Peak, mm of the scan (R A S)", "Peak, mm of SRI24 (R A S)", "Region")
    rows = [
        (
            _title(name),
            str(at),
            f"{one['volume_ml']:.2f}",
            f"{one['peak']:.3g}",
            *map(_place, (one["peak_mm"], one["atlas_mm"])),
            one["region"],
        )
        for name, found in record["found"].items()
        for at, one in enumerate(found["largest_clusters"], 1)
    ]
    return html_table(heads, rows) if rows else "<p>Nothing lies above a threshold.</p>"


def _placement(record: dict[str, Any]) -> str:
    laid, quality, known = record["registration"], record["image_quality"], record["image_quality_of_healthy_scans"]
    theirs = f"{_range(laid['healthy_similarities'])}; below {laid['least_similarity']:g} a scan is refused"
    rows = [
        ("Similarity to the atlas", f"{laid['similarity']:.3f}", theirs),
        ("Dice of its brain and the atlas's", f"{laid['dice']:.3f}", ""),
        ("Of the atlas's brain covered", f"{100 * laid['covered_share']:.0f} %", ""),
        ("Head turned in the header's axes", f"{laid['rotation_degrees']:.0f}°, {escape(laid['rotation'])}", ""),
        ("Volume of the brain", f"{record['brain_volume_ml']:.0f} mL", ""),
        ("How its brain was found", _FOUND_BY[record["brain_found_by"]], ""),
        *((escape(_capital(what)), f"{quality[name]:.3f}", _range(known.get(name))) for name, what in MEASURES.items()
          if name != "similarity"),
    ]  # fmt: skip
    return html_table(("", "This scan", "Healthy scans"), rows)


def _made_of(record: dict[str, Any]) -> str:
    told: dict[str, str] = {"Scan": record["scan"]}
    if record["sentence"] is None:
        checkpoint, site = record["checkpoint"], record["site"]
        told |= {
            "Checkpoint": f"{checkpoint['name']}, {checkpoint['digest']}",
            "Compared with": f"{record['healthy_scans']} healthy scans of {site['name'] if site else 'the training site'}",
            "Versions": ", ".join(f"{name} {version}" for name, version in record["versions"].items()),
            "Command": record["command"],
        }
    return html_table(("", ""), ((escape(name), escape(value)) for name, value in told.items()))


def _style() -> str:
    colours = ", ".join(to_hex(mpl.colormaps[COLOURS](share)) for share in np.linspace(0, 1, 11))
    return _STYLE.replace("COLOURS", colours)


def _title(name: str) -> str:
    return escape(scorers.SCORERS[name].title)


def _place(at: Sequence[float]) -> str:
    return " ".join(f"{mm:.1f}" for mm in at)


def _range(known: Sequence[float] | None) -> str:
    return f"{min(known):.3f} to {max(known):.3f}" if known else ""


def _capital(what: str) -> str:
    return what[0].upper() + what[1:]
