"""One small picture of a scan and its maps: what a table of many scans shows of each, whole or a row of it."""

from __future__ import annotations

import io

import matplotlib as mpl
import numpy as np
from matplotlib.colors import to_rgb
from PIL import Image, ImageDraw
from scipy import ndimage

from vaead_core.figures.scan import COLOURS, OPACITY, THRESHOLD_COLOUR, ShownMap, grey_window, upright
from vaead_core.scans.volume import Array, Volume

TILE = (104, 124)  # pixels, width and height
_BELOW = 12  # of them for the name of the slice
EVEN = 6  # slices over the brain; one more is where the map has its largest cluster
_QUALITY = 68  # a mosaic of three maps stays below 60 kB, a third less than a JPEG that is as clear
MOST_BYTES = 4 << 20  # of a mosaic that is read: one of twenty maps has a tenth of that
_LOSSY = b"WEBPVP8 "  # at byte 8 of a WebP file of one lossy image without anything beside it, as ours are
_LINE = tuple(round(255 * part) for part in to_rgb(THRESHOLD_COLOUR))


def mosaic_row(scan: Volume, shown: ShownMap | None = None, largest: int | None = None) -> Image.Image:
    """Axial slices beside each other: EVEN over the brain, then the slice of the peak of the map's `largest` cluster.

    Radiological: the patient's left is on the right. The map is drawn above its threshold, which is outlined.
    """
    slices = [*scan.middle_slices(EVEN), *([] if largest is None else [largest])]
    row = Image.new("RGB", ((EVEN + 1) * TILE[0], TILE[1]))
    low, top = grey_window(scan)
    for at, k in enumerate(slices):
        tile = _tile(scan, shown, k, low, top)
        row.paste(tile, (at * TILE[0] + (TILE[0] - tile.width) // 2, (TILE[1] - _BELOW - tile.height) // 2))
    pen = ImageDraw.Draw(row)
    for at, k in enumerate(slices):
        said = f"largest, axial {k + 1}" if at == EVEN else f"axial {k + 1}"
        pen.text((at * TILE[0] + 3, TILE[1] - _BELOW), said, "white")
    pen.text((3, 1), shown.title if shown else "Scan", "white")
    pen.text((2, TILE[1] // 2 - _BELOW), "R", "white")
    pen.text((TILE[0] - 9, TILE[1] // 2 - _BELOW), "L", "white")
    return row


def mosaic_webp(rows: list[Image.Image]) -> bytes:
    """The rows below each other, all of one height, with bytes that depend on nothing else."""
    picture = Image.new("RGB", (rows[0].width, sum(row.height for row in rows)))
    for at, row in enumerate(rows):
        picture.paste(row, (0, at * TILE[1]))
    content = io.BytesIO()
    picture.save(content, "WEBP", quality=_QUALITY, method=6)
    return content.getvalue()


def row_of(content: bytes, row: int, rows: int) -> bytes | None:
    """Row `row` of a mosaic of `rows`, as WebP; None for what is no such mosaic. What is another picture is not decoded."""
    if _size(content) != ((EVEN + 1) * TILE[0], rows * TILE[1]):
        return None
    cut = io.BytesIO()
    try:
        with Image.open(io.BytesIO(content), formats=["WEBP"]) as picture:
            picture.crop((0, row * TILE[1], picture.width, (row + 1) * TILE[1])).save(cut, "WEBP", quality=_QUALITY, method=2)
    except (OSError, ValueError):
        return None
    return cut.getvalue()


def _size(content: bytes) -> tuple[int, int] | None:
    """Width and height in the header of a lossy WebP file (RFC 6386, 9.1; RFC 9649, 2.5); None for another file."""
    if content[:4] != b"RIFF" or content[8:16] != _LOSSY:
        return None
    return int.from_bytes(content[26:28], "little") & 0x3FFF, int.from_bytes(content[28:30], "little") & 0x3FFF


def _tile(scan: Volume, shown: ShownMap | None, k: int, low: float, top: float) -> Image.Image:
    """One slice, a pixel as long as it is wide."""
    box = scan.box[:2]
    grey = np.clip((upright(scan.tissue[*box, k]) - low) / max(top - low, 1e-12), 0, 1)
    coloured = np.repeat(grey[..., None], 3, axis=2)
    across, up = (length * mm for length, mm in zip(grey.shape[::-1], scan.spacing_mm[:2], strict=True))
    scale = min(TILE[0] / across, (TILE[1] - _BELOW) / up)
    size = max(1, round(across * scale)), max(1, round(up * scale))
    if shown is None:
        return _picture(coloured).resize(size, Image.Resampling.BILINEAR)
    values = upright(shown.values[*box, k])
    marked = values > shown.threshold
    over = mpl.colormaps[COLOURS](np.clip(values[marked] / shown.full, 0, 1))[:, :3]
    coloured[marked] = OPACITY * over + (1 - OPACITY) * coloured[marked]
    tile = np.array(_picture(coloured).resize(size, Image.Resampling.BILINEAR))
    inside = np.asarray(_picture(marked).resize(size, Image.Resampling.BILINEAR)) > 127
    tile[inside & ~ndimage.binary_erosion(inside)] = _LINE
    return Image.fromarray(tile)


def _picture(values: Array) -> Image.Image:
    """Of values from 0 to 1."""
    return Image.fromarray(np.ascontiguousarray(255 * values.astype(np.float32)).round().astype(np.uint8))
