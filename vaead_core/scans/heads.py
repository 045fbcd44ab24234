"""A whole head is known as one, and its brain is found: by networks, or by a mask that its owner gives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy import ndimage

from vaead_core.computing.remembered import remembered
from vaead_core.errors import ScanError
from vaead_core.scans.content import content
from vaead_core.scans.foreground import with_holes_filled
from vaead_core.scans.masks import read_mask
from vaead_core.scans.stripping import SIDES, only, rough_brain, stretched, strip
from vaead_core.scans.volume import Array, Volume

MOST_OUTSIDE = 0.2  # of a brain's signal
_AIR = 0.1  # of the brightest: what is darker may be noise in air
_BRIGHTEST = 0.995  # quantile
_KEPT = 64  # shares, a number each
_MARGIN = 0.25  # of the signal's box, on each side: the network knows brains with something around them


def with_brain(scan: Volume, extract: bool | None = None) -> Volume:
    """The scan with its brain known: as it stands on its constant background, else extracted, which its notes say.

    extract: True extracts it in any case, False in none. Raises ScanError when no brain is found.

    >>> from vaead_core.scans import atlas
    >>> is_whole_head(atlas.t1()), with_brain(atlas.t1()).brain_by
    (False, 'background')
    """
    if extract is False or (scan.brain is not None and not extract):
        return scan
    if extract:
        reason = "The brain was extracted first"
    elif is_whole_head(scan):
        reason = "This is a whole head: the brain was extracted first"
    elif scan.background is None:
        reason = "No constant value lies around the brain: it was extracted first"
    else:
        return replace(scan, brain=scan.mask)
    return replace(strip(scan), notes=(*scan.notes, f"{reason}; check its outline."))


def with_mask(scan: Volume, source: Path | bytes, name: str | None = None) -> Volume:
    """The scan with the brain of a mask's file, brought onto its grid by world coordinates. Raises ScanError."""
    mask = read_mask(source, name)
    if not mask.counted.any():
        raise ScanError(f"{mask.name} marks no brain; give a mask, above 0 in the brain and 0 outside.")
    brain, said = mask.on(scan)
    mask.share_inside(scan, brain, scan.name)
    notes = (*scan.notes, "The brain is that of the given mask.", *mask.notes, *said)
    return replace(only(brain, scan, "mask"), notes=notes)


def is_whole_head(scan: Volume) -> bool:
    """Whether much of the scan's signal is not brain. False where its brain is known already, and where it has none."""
    return scan.brain is None and signal_outside(scan) > MOST_OUTSIDE


@remembered(content, most=_KEPT)
def signal_outside(scan: Volume) -> float:
    """The share of the signal, with what it encloses, that lies outside the brain; 0 where no brain is found.

    Of stripped brains 0.01 to 0.1, of heads with skull and scalp 0.3 and more. The last answers are remembered by content.
    """
    brightest = np.quantile(scan.tissue[::2, ::2, ::2], _BRIGHTEST)
    signal = ndimage.binary_opening(scan.tissue > _AIR * brightest)
    if not signal.any():
        return 0.0
    box = ndimage.find_objects(signal.astype(np.uint8))[0]
    outside = [(round(_MARGIN * (side.stop - side.start)),) * 2 for side in box]
    small = stretched(np.pad(scan.tissue[box], outside), SIDES["where"])
    whole = with_holes_filled(stretched(np.pad(signal[box], outside), SIDES["where"]))
    try:
        brain: Array = rough_brain(small, scan.name)
    except ScanError:
        return 0.0
    return float((whole & ~brain).sum() / whole.sum())
