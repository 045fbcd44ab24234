"""A folder of skull-stripped T1 scans, with ages and groups from participants.tsv where there is one; MOOD's layout too."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from vaead_core.cohorts import Cohort, Subject
from vaead_core.cohorts.folder_files import folder_files, nifti_files
from vaead_core.cohorts.participants import participants
from vaead_core.errors import CohortError, refusing
from vaead_core.scans.names import stem
from vaead_core.scans.nifti import read_nifti

CONTROLS = ("control", "controls", "healthy", "healthy control", "hc")  # as participants.tsv may call them


def nifti_folder(folder: Path) -> Cohort:
    """The scans below `folder`, as `folder_files` finds them. Raises CohortError when there is none.

    In the MOOD challenge's download (its folder, the one above, or brain_train itself), the scans of brain_train
    alone: its toy scans hold anomalies (see `mood_toys`).
    """
    if folder.is_file():
        raise CohortError(f"{folder.name} is a file; give the folder that holds it and the other scans.")
    if not folder.is_dir():
        raise CohortError(f"The data folder {folder.name} does not exist; give a folder of .nii or .nii.gz files.")
    folder = folder.resolve()
    train = _mood_train(folder)
    files = folder_files(train or folder)
    if not files.scans:
        if files.left_out:
            raise CohortError(f"No T1 scan lies below {folder.name}; give a folder of skull-stripped T1 scans. {files.sentence}")
        raise CohortError(f"No .nii or .nii.gz file lies below {folder.name}; give a folder of skull-stripped scans.")
    subjects = _subjects(files.scans, train or folder, _people(folder / "participants.tsv"))
    name = "MOOD brain" if train else folder.name
    people = len({subject.participant for subject in subjects})
    of_whom = "" if people == len(subjects) else f" ({people} participants)"
    others = sum(subject.control is False for subject in subjects)
    groups = f", {others} of them not of its controls" if others else ""
    description = f"{len(subjects)} scans of the folder {name}{of_whom}{groups}"
    return Cohort(name, f"{description}. {files.sentence}".rstrip(". "), subjects)


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


@dataclass(frozen=True)
class _Person:
    """A line of participants.tsv. control: as of a Subject."""

    age: float | None = None
    control: bool | None = None


def _subjects(scans: list[Path], folder: Path, listed: dict[str, _Person]) -> tuple[Subject, ...]:
    """A scan is called by its file name, or by its path below `folder` where file names repeat."""
    stems = [stem(path.name) for path in scans]
    inside = [path.relative_to(folder) for path in scans]
    repeated = len(set(stems)) < len(stems)
    names = [stem(path.as_posix()) for path in inside] if repeated else stems
    people = [_participant(path, name, repeated, listed) for path, name in zip(inside, names, strict=True)]
    unlisted = _Person(control=False if any(one.control for one in listed.values()) else None)
    known = [listed.get(person, unlisted) for person in people]
    return tuple(
        Subject(name, person, one.age, partial(read_nifti, path), one.control)
        for path, name, person, one in zip(scans, names, people, known, strict=True)
    )


def _participant(path: Path, name: str, repeated: bool, known: Collection[str]) -> str:
    """Whom a scan shows, by its path: an identifier of participants.tsv, BIDS's sub-, or the folder that holds a person's visits.

    The outermost folder is a person's where file names repeat from folder to folder, or begin with its name.
    """
    parts = [*path.parts[:-1], stem(path.name)]
    listed = (one for one in known for part in reversed(parts) if _begins(part, one) or _begins(part, f"sub-{one}"))
    if (found := max(listed, key=len, default=None)) is not None:
        return found
    bids = [sub.group() for part in reversed(parts) if (sub := re.match(r"sub-[A-Za-z0-9]+", part))]
    if bids:
        return bids[0]
    return parts[0] if len(parts) > 1 and (repeated or _begins(parts[-1], parts[0])) else name


def _begins(text: str, name: str) -> bool:
    """Whether `text` is `name`, or goes on after it with another sign than a letter or digit."""
    return text.startswith(name) and not text[len(name) : len(name) + 1].isalnum()


def _people(table: Path) -> dict[str, _Person]:
    """By identifier. Controls are those whom the column `group` calls so; where it calls nobody so, nothing is known of any."""
    rows = participants(table)
    control = {name: (row.get("group") or "").strip().lower() in CONTROLS for name, row in rows.items()}
    told = any(control.values())
    return {name: _Person(_number(row.get("age")), control[name] if told else None) for name, row in rows.items()}


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None
