"""Where subjects come from, one file each. A cohort lists scans; each is read only when it is needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from vaead_core.errors import CohortError
from vaead_core.scans.volume import Volume

SAMPLES = "samples"


@dataclass(frozen=True)
class Subject:
    """One scan. participant: whom it shows (all scans of one participant land in one split). age: years or None.

    control: whether they are told to be healthy, where a cohort tells that of anyone; None where it tells nothing.
    """

    id: str
    participant: str
    age: float | None
    read: Callable[[], Volume] = field(compare=False)
    control: bool | None = None


@dataclass(frozen=True)
class Cohort:
    """Scans of healthy brains. description: one sentence for the model card."""

    name: str
    description: str
    subjects: tuple[Subject, ...]


def open_cohort(source: str | None) -> Cohort:
    """None or "synthetic" or "synthetic:N": the synthetic cohort (of N subjects); "samples": the healthy scans that vaead
    carries; else a folder of NIfTI files."""  # fmt: skip
    from vaead_core.cohorts.nifti_folder import nifti_folder
    from vaead_core.cohorts.samples import healthy_samples
    from vaead_core.cohorts.synthetic import synthetic_cohort

    if source is None or source == "synthetic":
        return synthetic_cohort()
    if source == SAMPLES:
        return healthy_samples()
    if source.startswith("synthetic:"):
        count = source.removeprefix("synthetic:")
        if not (count.isascii() and count.isdigit() and int(count) >= 3):
            raise CohortError(f"synthetic:N takes a number of subjects, 3 or more; found {source}.")
        return synthetic_cohort(int(count))
    return nifti_folder(Path(source))
