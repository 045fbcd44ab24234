"""A folder of skull-stripped NIfTI scans, with ages from participants.tsv where there is one; MOOD's layout too."""

from __future__ import annotations

import csv
import re
from functools import partial
from pathlib import Path

from vaead_core.cohorts import Cohort, Subject
from vaead_core.errors import CohortError
from vaead_core.nifti import read_nifti


def nifti_folder(folder: Path) -> Cohort:
    """Every .nii and .nii.gz below `folder`, hidden files aside. Raises CohortError when there is none.

    In a folder laid out as the MOOD challenge's download, the scans of brain_train alone: its toy scans hold
    anomalies (see `mood_toys`).
    """
    if not folder.is_dir():
        raise CohortError(f"The data folder {folder.name} does not exist; give a folder of .nii or .nii.gz files.")
    train = folder / "brain_train"
    scans = nifti_files(train if train.is_dir() else folder)
    if not scans:
        raise CohortError(f"No .nii or .nii.gz file lies below {folder.name}; give a folder of skull-stripped scans.")
    ages = _ages(folder / "participants.tsv")
    subjects = tuple(_subject(path, ages) for path in scans)
    name = "MOOD brain" if train.is_dir() else folder.name
    return Cohort(name, f"{len(subjects)} scans of the folder {name}", subjects)


def nifti_files(folder: Path) -> list[Path]:
    """The NIfTI files below a folder, sorted, without hidden ones."""
    found = [path for path in folder.rglob("*") if path.name.lower().endswith((".nii", ".nii.gz"))]
    return sorted(p for p in found if p.is_file() and not any(part.startswith(".") for part in p.relative_to(folder).parts))


def mood_toys(folder: Path) -> list[tuple[Path, Path]]:
    """(toy scan, its pixel label) pairs of a MOOD download: brain_toy/toy and brain_toy/toy_label/pixel."""
    toys = folder / "brain_toy"
    pairs = [(scan, toys / "toy_label" / "pixel" / scan.name) for scan in nifti_files(toys / "toy")]
    return [(scan, label) for scan, label in pairs if label.is_file()]


def _subject(path: Path, ages: dict[str, float | None]) -> Subject:
    stem = re.sub(r"\.nii(\.gz)?$", "", path.name, flags=re.IGNORECASE)
    listed = max((known for known in ages if stem.startswith(known)), key=len, default=None)
    bids = re.search(r"sub-[A-Za-z0-9]+", str(path.name)) or re.search(r"sub-[A-Za-z0-9]+", path.parent.as_posix())
    participant = listed or (bids.group() if bids else stem)
    return Subject(stem, participant, ages.get(listed) if listed else None, partial(read_nifti, path))


def _ages(table: Path) -> dict[str, float | None]:
    if not table.is_file():
        return {}
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
        return {row["participant_id"]: _number(row.get("age")) for row in rows if row["participant_id"]}
    except (KeyError, UnicodeDecodeError, csv.Error) as error:
        raise CohortError("participants.tsv must be a tab-separated table with a column participant_id; repair it.") from error


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
