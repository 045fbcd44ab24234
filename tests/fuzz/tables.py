"""Tables beside scans: participants.tsv with damage, markup and missing columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.fuzz.mutations import mutated
from vaead_core.cohorts.nifti_folder import nifti_folder

PEOPLE = "".join(f"sub-{n}\t{20 + n}\tF\t{('control', 'depr')[n % 2]}\n" for n in range(1, 20))
TABLE = f"participant_id\tage\tsex\tgroup\n{PEOPLE}"


def folder(into: Path, rng: np.random.Generator) -> bool:
    """Opens a folder of scans with a damaged table. Raises CohortError."""
    for number in range(1, 4):
        (into / f"sub-{number}_T1w.nii").touch()
    (into / "participants.tsv").write_bytes(mutated(TABLE.encode(), rng))
    subjects = nifti_folder(into).subjects
    assert len(subjects) == 3
    assert all(one.age is None or np.isfinite(one.age) for one in subjects)
    assert len({one.control is None for one in subjects}) == 1, "of all something is told, or of none"
    return True
