"""How large the two patients' lesions are on the atlas grid, and how far from healthy intensity: why maps find them or not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from scipy import ndimage

from vaead_core import scorers
from vaead_core.checkpoints.search import opened
from vaead_core.computing.whole_file import write_whole
from vaead_core.experiments.lesions import CASES, lesion_folder
from vaead_core.pipeline import scoring
from vaead_core.scans.nifti import read_nifti
from vaead_core.scans.truth import read_truth

FAR = 2.0  # healthy deviations
FILE = "lesion_facts.json"


def record(checkpoint: str, results: Path) -> None:
    """Writes the facts of each case, by name, into the folder of results."""
    write_whole(
        results / FILE, json.dumps({case: _facts(checkpoint, Path(lesion_folder(case))) for case in CASES}, indent=1) + "\n"
    )


def sentences(results: Path) -> list[str]:
    """One a case; none where nothing was recorded."""
    path = results / FILE
    facts = json.loads(path.read_text()) if path.is_file() else {}
    verdict = {True: "that sets them apart", False: "little sets them apart"}
    return [
        f"{case}: {one['regions']} {'regions' if one['regions'] > 1 else 'region'} of lesion on the atlas grid, the median one "
        f"{one['median_ml']:.2f} ml, the largest {one['largest_ml']:.2f} ml. Their median intensity lies {one['median_z']:+.1f} "
        f"healthy deviations from the mean of its place; {one['far_share']:.0%} of their voxels lie further than {FAR:.0f} away, "
        f"and so do {one['far_share_elsewhere']:.0%} of the rest of this brain: "
        f"{verdict[one['far_share'] > 2 * one['far_share_elsewhere']]} by intensity."
        for case, one in facts.items()
    ]


def _facts(folder: str, case: Path) -> dict[str, float]:
    checkpoint = opened(folder)
    if checkpoint.preprocessor is None:
        raise ValueError("lesions are found in scans")
    ready = scoring.prepare(read_nifti(case / "t1.nii.gz"), checkpoint)
    truth = checkpoint.preprocessor.truth_to_slices(read_truth(case / "lesion.nii.gz", ready.brain.scan).marked, ready.brain)
    truth &= ready.slices.mask
    labels, regions = ndimage.label(truth)
    ml = np.bincount(labels[truth])[1:] * checkpoint.preprocessor.spacing_mm**3 / 1000
    z = checkpoint.model.reference["intensity"].z(ready.slices.pixels, ready.slices)
    far = scorers.build_map("voxel_atlas").score_map(checkpoint.model, ready.slices) > FAR
    return {
        "regions": regions, "median_ml": float(np.median(ml)), "largest_ml": float(ml.max()),
        "median_z": float(np.median(z[truth])),
        "far_share": float(far[truth].mean()), "far_share_elsewhere": float(far[ready.slices.mask & ~truth].mean()),
    }  # fmt: skip
