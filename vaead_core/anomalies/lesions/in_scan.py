"""A painted lesion on a scan's own grid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator

from vaead_core.anomalies.lesions import Lesion
from vaead_core.scans.preprocessing import Preprocessor
from vaead_core.scans.volume import Array, Volume


def painted(scan: Volume, lesion: Lesion, rng: Generator) -> tuple[Volume, Array]:
    """The scan with the lesion in it, and where that is: (I, J, K) bool. Raises ScanError where it is not laid on the atlas."""
    preprocessor = Preprocessor()
    brain = preprocessor.to_brain(scan)
    case = lesion.paint(brain, rng)
    slices = preprocessor.to_slices(brain)
    own, changed = (brain.scale.to_own(one.intensity) for one in (brain, case.brain))
    change = np.where(own > 0, changed / np.where(own > 0, own, 1) - 1, 0)
    factor = 1 + preprocessor.to_scan(preprocessor.slice_grid.on_slices(change, slices), slices, brain)
    truth = preprocessor.to_scan(preprocessor.slice_grid.on_slices(case.truth.astype(np.float32), slices), slices, brain)
    return replace(scan, data=(scan.data * factor).astype(np.float32)), truth >= 0.5
