"""Detection limits as pictures: sensitivity by size and look, where more or fewer are found, and a part of the report."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from typing import Any

from vaead_core import scorers
from vaead_core.figures.atlas_mosaic import Colours, atlas_mosaic_png
from vaead_core.figures.curves import SHARES_SCALE
from vaead_core.figures.html_table import html_table
from vaead_core.pipeline.limits.lesion_scans import LOOKS, SIZES
from vaead_core.pipeline.limits.places import KERNEL_MM, LEAST_LESIONS, ByPlace
from vaead_core.pipeline.limits.table import SHARES, Cell, Limits
from vaead_core.scans.geometry import Grid

FULL_EXCESS = 0.5  # that is in full colour
HEADS = tuple(f"{share:.0%} found from".replace("%", " %") for share in SHARES)
METHOD = (
    "Lesions of stated sizes and contrasts were painted into this scan. One counts as found where a tenth of it is newly marked. "
    "Painted lesions are cleaner than real ones: what is missed here would be missed, what is found here may be."
)
ABOUT_PLACES = (
    f"Red: more lesions are found there than their size and contrast let expect; blue: fewer. Averaged over about {KERNEL_MM:g} "
    f"mm, and drawn on the atlas; dark: fewer than {LEAST_LESIONS:.0f} lesions lie near, so nothing is known. Cortical lesions "
    "lie in the cortex and others in white matter, so that a place stands for its kind of lesion too. The patient's left is on "
    "the right."
)


def heat_map_figure(limits: Limits, height: int = 300) -> dict[str, Any]:
    """Found of painted in each cell, a row a size with the largest on top, a column a look; intervals on hover."""
    cells = {(one.look, one.size): one for one in limits.cells}
    rows = [[cells[look, size] for look in LOOKS] for size in SIZES]
    heat = {
        "type": "heatmap", "x": [look.removesuffix(" darker") for look in LOOKS], "y": list(SIZES), "xgap": 2, "ygap": 2,
        "z": [[one.sensitivity if one.count else None for one in row] for row in rows],
        "zmin": 0, "zmax": 1, "colorscale": SHARES_SCALE, "showscale": False,
        "text": [[f"{one.found}/{one.count}" if one.count else "none" for one in row] for row in rows],
        "hovertext": [[_hover(one) for one in row] for row in rows],
        "texttemplate": "%{text}", "textfont": {"size": 13, "color": "white"}, "hovertemplate": "%{hovertext}<extra></extra>",
    }  # fmt: skip
    fixed = {"fixedrange": True, "showgrid": False, "type": "category"}
    layout = {
        "height": height, "margin": {"l": 96, "r": 8, "t": 6, "b": 48},
        "xaxis": fixed | {"tickangle": 0, "title": {"text": "Darker than its tissue, or tissue lost"}}, "yaxis": fixed,
    }  # fmt: skip
    return {"data": [heat], "layout": layout}


def _hover(one: Cell) -> str:
    said = f"{one.look}, {one.size}<br>found {one.found} of {one.count}, 95 % {_range(one)}"
    return f"{said}<br>{one.marked_before} lie where the untouched scan is marked" if one.count else "none found room here"


def sizes_table(limits: Limits) -> dict[str, list[str]]:
    """The sizes found, in words, a row a look."""
    sizes = {head: [limits.size_said(look, share) for look in LOOKS] for head, share in zip(HEADS, SHARES, strict=True)}
    counts = {look: sum(one.lesion.look == look for one in limits.outcomes) for look in LOOKS}
    return {"Lesions": list(LOOKS), **sizes, "Painted": [str(counts[look]) for look in LOOKS]}


def places_png(places: ByPlace, grid: Grid, small: bool = False) -> bytes:
    """Axial slices of the atlas, where more or fewer are found than sizes and looks let expect; dark where nothing is known."""
    said = "found, less what was to be expected; 0.1 is 10 percentage points"
    return atlas_mosaic_png(places.excess, places.known, grid, Colours(-FULL_EXCESS, FULL_EXCESS, said), small)


def marked_sentence(limits: Limits) -> str:
    """What the threshold marks without any lesion."""
    count = limits.false_components
    parts = "1 part" if count == 1 else f"{count} parts"
    return (
        f"At this threshold, which {100 * limits.rate:.3g} % of healthy voxels exceed, {parts} of the untouched scan "
        f"{'is' if count == 1 else 'are'} marked: false ones, if nothing is wrong with this brain."
    )


def report_part(measured: Sequence[tuple[Limits, ByPlace]], grid: Grid) -> str:
    """HTML of the detection limits of some methods; "" for none."""
    parts = [f"<h2>What would be missed</h2><p>{escape(METHOD)}</p>"] if measured else []
    for limits, places in measured:
        cells = {(one.look, one.size): one for one in limits.cells}
        rows = [(size, *(_cell(cells[look, size]) for look in LOOKS)) for size in reversed(SIZES)]
        rows += [
            (head, *(escape(limits.size_said(look, share)) for look in LOOKS)) for head, share in zip(HEADS, SHARES, strict=True)
        ]
        picture = base64.b64encode(places_png(places, grid)).decode()
        parts += [
            f"<p><b>{escape(limits.sentence())}</b></p>",
            f"<p>Threshold {limits.threshold:.4g}. {escape(marked_sentence(limits))}</p>",
            html_table(("Found of painted, 95 % interval", *map(escape, LOOKS)), rows),
            f"<img alt='Where {escape(scorers.SCORERS[limits.scorer].title)} finds more or fewer lesions' "
            f"src='data:image/png;base64,{picture}'>",
            f"<p>{escape(places.sentence())} {escape(ABOUT_PLACES)}</p>",
        ]  # fmt: skip
    return "".join(parts)


def _cell(one: Cell) -> str:
    return f"{one.found} of {one.count}, {_range(one)}" if one.count else "none painted"


def _range(one: Cell) -> str:
    return f"{100 * one.low:.0f} to {100 * one.high:.0f} %"
