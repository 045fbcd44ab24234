"""What cannot be a brain is refused before it is registered; what lies badly on the atlas, after; the rest is warned of."""

from __future__ import annotations

import numpy as np

from vaead_core.errors import ScanError
from vaead_core.scans.geometry import TURNED_DEGREES, Placement
from vaead_core.scans.registration.quality import LEAST_SIMILARITY
from vaead_core.scans.volume import Volume

_MOST_OUTSIDE = 0.25  # of the scan's brain beyond the atlas's; of 86 healthy scans at most 0.154
_MOST_STRETCH = 1.32  # of 86 healthy scans at most 1.22
WHOLE_SHARE = 0.9  # of the atlas's brain; healthy scans cover more
_LEAST_SHARE = 0.45  # of the atlas's brain: half of one, as after a hemispherectomy
_LEAST_ML = 200.0  # a third of a small child's
_EXTENTS_MM = (40.0, 300.0)
_LEAST_FILLING = 0.15  # of the box around it; a brain that lies obliquely fills a third
_SCALES = (0.74, 1.35)
_TAIL = 0.001  # of the brain's voxels at each end
_SAMPLE = 1_000_000  # voxels, for what is usual
_MOST_WIDENED = 1.1  # the deviation of a brain's values, by those far beyond the tails; of 31 scans at most 1.0003


class PlacementError(ScanError):
    """A scan that no way to the atlas fits. placement: the best that was found, to be shown over `scan`."""

    def __init__(self, sentence: str, scan: Volume, placement: Placement) -> None:
        super().__init__(sentence)
        self.scan, self.placement = scan, placement


def refuse_no_brain(scan: Volume) -> None:
    """Raises ScanError for what by its size or shape is no brain, in a moment."""
    volume_ml = float(scan.mask.sum()) * scan.voxel_ml
    extents = np.array([side.stop - side.start for side in scan.box]) * scan.spacing_mm
    if volume_ml < _LEAST_ML or extents.min() < _EXTENTS_MM[0]:
        raise ScanError(
            f"The brain in {scan.name} is far smaller than an adult's ({volume_ml:.3g} ml, {_by(extents)} mm); "
            "check the voxel size in its header."
        )
    if extents.max() > _EXTENTS_MM[1]:
        raise ScanError(
            f"The brain in {scan.name} is far larger than an adult's ({_by(extents)} mm); check the voxel size in its header."
        )
    if volume_ml * 1000 < _LEAST_FILLING * float(extents.prod()):
        raise ScanError(f"What lies in {scan.name} has not the shape of a brain; give a skull-stripped T1 scan, 0 outside it.")


def refuse_outlying(scan: Volume) -> None:
    """Raises ScanError for single voxels so far from all others that the brain's own contrast is nothing beside theirs."""
    values = scan.tissue[scan.mask]
    some = values[:: 1 + values.size // _SAMPLE].astype(np.float64)
    low, high = np.quantile(some, (_TAIL, 1 - _TAIL))
    middle, reach = (low + high) / 2, 1.5 * (high - low)
    far = values[np.abs(values - middle) > reach].astype(np.float64) - middle
    if (far**2).sum() / values.size > (_MOST_WIDENED**2 - 1) * some[np.abs(some - middle) <= reach].var():
        raise ScanError(
            f"A few voxels of the brain in {scan.name} lie far from all others (the farthest at "
            f"{middle + far[np.abs(far).argmax()]:.4g}, where nearly all lie between {low:.4g} and {high:.4g}); give them "
            "the value of what surrounds them."
        )


def refuse_poor(placement: Placement, scan: Volume) -> None:
    """Raises PlacementError where the scan is less like the atlas than healthy brains are, or of another size."""
    scale = float(np.cbrt(np.linalg.det(placement.matrix[:3, :3])))
    advice = "check that it is a T1-weighted, skull-stripped scan of an adult's brain, and the voxel size in its header"
    if placement.similarity < LEAST_SIMILARITY:
        raise PlacementError(
            f"{scan.name} could not be brought to the atlas (similarity {placement.similarity:.2f}, where brains have "
            f"{LEAST_SIMILARITY:.2f} or more): {advice}.",
            scan,
            placement,
        )
    if not _SCALES[0] <= scale <= _SCALES[1]:
        size = f"{scale:.1f} times smaller" if scale > 1 else f"{1 / scale:.1f} times larger"
        raise PlacementError(
            f"The brain in {scan.name} is {size} than an adult's; check the voxel size in its header.", scan, placement
        )
    if placement.covered_share < _LEAST_SHARE:
        missing = f"{100 * (1 - placement.covered_share):.0f} %"
        raise PlacementError(
            f"{missing} of the brain is missing from {scan.name}; give a scan of the whole brain.", scan, placement
        )


def warnings(placement: Placement) -> tuple[str, ...]:
    """Sentences on what a user should look at: a header that turns the brain, a part that is missing."""
    said = []
    if placement.rotation_degrees >= TURNED_DEGREES:
        said.append(
            f"The header has this brain {placement.rotation_in_words}: check left and right. It was turned back for the atlas, "
            "and an image does not show whether it is also mirrored."
        )
    if placement.stretch > _MOST_STRETCH:
        said.append(
            f"Beside the atlas this brain is {placement.stretch:.1f} times as long in one direction as in another; check the "
            "voxel sizes in its header."
        )
    missing = f"{100 * (1 - placement.covered_share):.0f} %"
    if placement.cut and missing == "0 %":
        said.append("The brain has a flat side, as where an image ends within it; its place on the atlas is less certain.")
    elif placement.covered_share < WHOLE_SHARE or placement.cut:
        said.append(
            f"About {missing} of the brain is missing from this scan, most of it at the "
            f"{placement.missing_part}; its place on the atlas is less certain, and nothing is scored there."
        )
    if placement.outside_share > _MOST_OUTSIDE:
        said.append(
            f"About {100 * placement.outside_share:.0f} % of what counts as brain in this scan lies outside the atlas's brain: "
            "check the brain's outline or mask."
        )
    return tuple(said)


def _by(extents: np.ndarray) -> str:
    return " × ".join(f"{extent:.3g}" for extent in extents)
