"""Affine registration of a scan to SRI24, however its brain lies, and resampling between the two grids."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vaead_core.computing.remembered import remembered
from vaead_core.errors import ScanError, refusing
from vaead_core.scans.content import content
from vaead_core.scans.geometry import Placement
from vaead_core.scans.registration import descent, placements
from vaead_core.scans.registration.cuts import within_cuts
from vaead_core.scans.registration.quality import HEALTHY_SIMILARITIES, judged
from vaead_core.scans.registration.resampling import atlas_grid, coarsened, to_atlas, to_scan
from vaead_core.scans.registration.search import candidates
from vaead_core.scans.volume import Array, Volume

_SURE_SIMILARITY = HEALTHY_SIMILARITIES[0]  # brains that lie the wrong way stay well below it
_KEPT = 64  # placements: some matrices and numbers each
_DESCENDED = 3  # candidates; the right one, within some degrees of its place, is nearly always the most similar of all
_WORTH_DESCENDING = 0.15  # the right candidates of 47 brains laid otherwise had 0.21 or more
_SAME_MM = 10.0  # candidates that the search tells apart lie twice as far from each other
_WORTH_GOING_ON = 0.3  # after one descent; they had 0.56 or more then, the wrong ones 0.28 or less

__all__ = ["atlas_grid", "coarsened", "register", "to_atlas", "to_scan"]


@remembered(content, _KEPT, placements.find, placements.keep)
def register(scan: Volume) -> Placement:
    """Twelve-parameter affine of a skull-stripped scan to SRI24. Raises ScanError for what ITK cannot register.

    One descent from the two brains' centres of mass finds an upright, whole brain. Where the scan is less similar to the
    atlas then than healthy brains are, and where a part of it is cut off, the brain is searched for in all rotations.
    What comes back may be poor: `gate.refuse_poor` looks at its similarity. The last placements are remembered by content
    (`placements`), so that another grid or another checkpoint doesn't register a scan again.

    >>> from vaead_core.scans import atlas
    >>> found = register(atlas.t1())
    >>> bool(found.rotation_degrees < 1), bool(found.similarity > 0.98), found.rotation_in_words[:6]
    (True, True, 'tilted')
    """
    refusal = ScanError(
        f"{scan.name} could not be brought to the atlas; check that it is a whole, skull-stripped adult brain, "
        "bright on a background of 0, with the right voxel size."
    )
    with refusing(refusal, RuntimeError, ValueError, OverflowError, np.linalg.LinAlgError):  # ITK's, and of grids of no size
        seen = within_cuts(scan)
        small = descent.coarse(seen)
        if seen is not scan:
            return replace(_searched(seen, small), cut=True)
        upright = descent.from_moments(small)
        if judged(small, upright).similarity < _SURE_SIMILARITY:
            return _searched(scan, small, upright)
        return judged(small, descent.at_rest(small, upright))


def _searched(scan: Volume, small: descent.Coarse, *known: Array) -> Placement:
    """The first of the likeliest candidates that lies as healthy brains do, else the most similar of them.

    What is far from lying so is soon given up: of what is no brain all candidates are, and each descent goes on to its bound.
    """

    def similarity(matrix: Array) -> float:
        return judged(small, matrix).similarity

    starts = sorted([*candidates(scan), *known], key=similarity, reverse=True)[:_DESCENDED]
    found: list[Placement] = []
    for start in starts:
        if found and similarity(start) < _WORTH_DESCENDING:
            break
        if any(descent.moved_mm(one.matrix, start) < _SAME_MM for one in found):
            continue  # it would come to rest there too
        found.append(judged(small, descent.at_rest(small, start, lambda matrix: similarity(matrix) >= _WORTH_GOING_ON)))
        if found[-1].similarity >= _SURE_SIMILARITY:
            break
    return max(found, key=lambda placement: placement.similarity)
