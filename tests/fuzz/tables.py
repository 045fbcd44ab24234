"""Tables beside scans: participants.tsv with damage, markup and missing columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.fuzz.mutations import mutated
from vaead_core.cohorts.nifti_folder import nifti_folder

TABLE = "participant_id\tage\tsex\n" + "".join(f"sub-{n}\t{20 + n}\tF\n" for n in range(1, 20))


def folder(into: Path, rng: np.random.Generator) -> bool:
    """Opens a folder of scans with a damaged table. Raises CohortError."""
    for number in range(1, 4):
        (into / f"sub-{number}_T1w.nii").touch()
    (into / "participants.tsv").write_bytes(mutated(TABLE.encode(), rng))
    assert len(nifti_folder(into).subjects) == 3
    return True
