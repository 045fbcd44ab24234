"""A folder of skull-stripped NIfTI scans, with ages from participants.tsv where there is one; MOOD's layout too."""

from __future__ import annotations

import csv
import math
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from vaead_core.cohorts import Cohort, Subject
from vaead_core.errors import CohortError, refusing
from vaead_core.scans.nifti import read_nifti


def nifti_folder(folder: Path) -> Cohort:
    """Every .nii and .nii.gz below `folder`, hidden files aside. Raises CohortError when there is none.

    In the MOOD challenge's download (its folder, the one above, or brain_train itself), the scans of brain_train
    alone: its toy scans hold anomalies (see `mood_toys`).
    """
    if not folder.is_dir():
        raise CohortError(f"The data folder {folder.name} does not exist; give a folder of .nii or .nii.gz files.")
    folder = folder.resolve()
    train = _mood_train(folder)
    scans = nifti_files(train or folder)
    if not scans:
        raise CohortError(f"No .nii or .nii.gz file lies below {folder.name}; give a folder of skull-stripped scans.")
    ages = _ages(folder / "participants.tsv")
    subjects = _subjects(scans, train or folder, ages)
    name = "MOOD brain" if train else folder.name
    return Cohort(name, f"{len(subjects)} scans of the folder {name}", subjects)


def nifti_files(folder: Path) -> list[Path]:
    """The NIfTI files below a folder, sorted, without hidden ones."""
    found = [path for path in folder.rglob("*") if path.name.lower().endswith((".nii", ".nii.gz"))]
    return sorted(p for p in found if p.is_file() and not any(part.startswith(".") for part in p.relative_to(folder).parts))


@dataclass(frozen=True)
class MoodToy:
    """A toy scan of MOOD. pixel_label: the file of its mask. anomalous: its sample label, None where there is no file."""

    scan: Path
    pixel_label: Path
    anomalous: bool | None


def mood_toys(folder: Path) -> list[MoodToy]:
    """The toy scans of a MOOD download that have a pixel label: those of brain_toy, else those beside brain_train.

    Raises CohortError when a sample label cannot be read.
    """
    train = _mood_train(folder.resolve())
    beside = train.parent if train else folder
    toys = beside / "brain_toy" if (beside / "brain_toy").is_dir() else beside
    pixel, sample = toys / "toy_label" / "pixel", toys / "toy_label" / "sample"
    labelled = [scan for scan in nifti_files(toys / "toy") if (pixel / scan.name).is_file()]
    return [MoodToy(scan, pixel / scan.name, _sample_label(sample / f"{scan.name}.txt")) for scan in labelled]


def _sample_label(path: Path) -> bool | None:
    if not path.is_file():
        return None
    no_label = CohortError(f"{path.name} must hold one number, 0 or 1; download MOOD's toy labels again.")
    with refusing(no_label, OSError, UnicodeDecodeError, KeyError):
        return {"0": False, "1": True}[path.read_text().strip()]


def _mood_train(folder: Path) -> Path | None:
    if folder.name == "brain_train":
        return folder
    found = [place / "brain_train" for place in (folder, folder / "brain")]
    return next((train for train in found if train.is_dir()), None)


def _subjects(scans: list[Path], folder: Path, ages: dict[str, float | None]) -> tuple[Subject, ...]:
    """A scan is called by its file name, or by its path below `folder` where file names repeat."""
    stems = [_without_extension(path.name) for path in scans]
    repeated = len(set(stems)) < len(stems)
    names = [_without_extension(path.relative_to(folder).as_posix()) for path in scans] if repeated else stems
    return tuple(_subject(path, folder, name, ages) for path, name in zip(scans, names, strict=True))


def _subject(path: Path, folder: Path, name: str, ages: dict[str, float | None]) -> Subject:
    stem = _without_extension(path.name)
    listed = max((known for known in ages if stem.startswith(known)), key=len, default=None)
    inside = path.relative_to(folder)
    bids = [found.group() for part in reversed(inside.parts) if (found := re.match(r"sub-[A-Za-z0-9]+", part))]
    participant = listed or (bids[0] if bids else name)
    return Subject(name, participant, ages.get(listed) if listed else None, partial(read_nifti, path))


def _without_extension(name: str) -> str:
    return re.sub(r"\.nii(\.gz)?$", "", name, flags=re.IGNORECASE)


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
        number = float(text) if text else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None
