"""Which scans of a BIDS dataset are a study's, which brains are known, and what is left out.

A reader of our own: what is asked of a file is the entities of its name (`names`), and of every other file why it is no scan.
pybids would bring twelve packages, a database of the whole tree among them, and still leave the second to us.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vaead_core.cohorts.folder_files import BESIDE, named_nifti
from vaead_core.cohorts.participants import participants
from vaead_core.errors import InputError
from vaead_core.scans.names import stem
from vaead_core.study.names import BidsName

_NAMED = 3  # files of a kind that are called by their names


@dataclass(frozen=True)
class StudyScan:
    """One T1 scan. inside: its path within the dataset, with /. mask: of its brain, where derivatives have one."""

    path: Path
    inside: str
    name: BidsName
    mask: Path | None = None

    @property
    def participant(self) -> str:
        """As participants.tsv has it.

        >>> StudyScan(Path("x"), "x", BidsName.of("sub-07_T1w")).participant
        'sub-07'
        """
        return f"sub-{self.name.label('sub')}"


@dataclass(frozen=True)
class Study:
    """scans: those chosen, by path. left_out: a reason → paths within the dataset. people: rows of participants.tsv."""

    folder: Path
    scans: tuple[StudyScan, ...]
    left_out: dict[str, list[str]] = field(default_factory=dict)
    people: dict[str, dict[str, str]] = field(default_factory=dict)

    def summary(self) -> Iterator[str]:
        """Plain sentences: what was found, what was left out and why, whom participants.tsv does not have."""
        people = {scan.participant for scan in self.scans}
        yield f"{_counted(len(self.scans), 'scan')} of {_counted(len(people), 'participant')}."
        for reason, paths in sorted(self.left_out.items()):
            more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
            yield f"Left out, {reason}: {', '.join(paths[:_NAMED])}{more}."
        if masks := sum(scan.mask is not None for scan in self.scans):
            yield f"{_counted(masks, 'brain mask')} of derivatives."
        if not self.people:
            yield "There is no participants.tsv; the table will know no one's age or group."
        elif lacking := sorted(people - self.people.keys()):
            yield f"participants.tsv has no row of {', '.join(lacking)}; they are scored all the same."


def find_study(
    folder: Path, out: Path, people: Sequence[str] = (), sessions: Sequence[str] = (), derivatives: Sequence[Path] | None = None
) -> Study:
    """The scans `sub-*/[ses-*/]anat/*_T1w.nii[.gz]` of a dataset but for what lies in `out`. Raises InputError.

    people, sessions: labels of those wanted, with or without sub- and ses-; all by default. derivatives: folders of brain masks;
    by default those of the dataset's derivatives.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}; give that of a BIDS dataset.")
    if out.resolve() == folder.resolve():
        raise InputError("The results need a folder of their own, such as BIDS_DIR/derivatives/vaead.")
    found, left_out = _raw(folder, out)
    if not found:
        raise InputError(
            f"No T1 scan lies in {folder} as BIDS has it, sub-*/[ses-*/]anat/*_T1w.nii.gz; arrange the folder so.",
            "vaead score SCAN...",
        )
    wanted = _labels(people, "sub", found, folder), _labels(sessions, "ses", found, folder)
    scans = []
    for scan in found:
        if wanted[0] and scan.name.label("sub") not in wanted[0]:
            left_out["of participants that were not chosen"].append(scan.inside)
        elif wanted[1] and scan.name.label("ses") not in wanted[1]:
            left_out["of sessions that were not chosen"].append(scan.inside)
        else:
            scans.append(scan)
    if not scans:
        raise InputError("No participant that was chosen has a session that was chosen; choose others.")
    masks = _masks(folder, out, derivatives)
    with_masks = tuple(StudyScan(one.path, one.inside, one.name, _mask(one, masks)) for one in scans)
    return Study(folder, with_masks, dict(left_out), participants(folder / "participants.tsv"))


def _raw(folder: Path, out: Path) -> tuple[list[StudyScan], dict[str, list[str]]]:
    """All T1 scans, and by reason what else there is."""
    scans: dict[str, StudyScan] = {}
    left_out: dict[str, list[str]] = defaultdict(list)
    for path in named_nifti(folder, BESIDE):
        inside = path.relative_to(folder).as_posix()
        if path.resolve().is_relative_to(out.resolve()):
            continue
        scan = StudyScan(path, inside, name) if (name := BidsName.of(stem(path.name))) else None
        if reason := _no_scan(scan):
            left_out[reason].append(inside)
        elif scan and scans.setdefault(scan.name.stem, scan) is not scan:
            left_out["as another file has its name"].append(inside)
    return list(scans.values()), left_out


def _no_scan(scan: StudyScan | None) -> str:
    """Why a file is no scan of a study; "" for one that is."""
    if scan is None:
        return "as its name is none of BIDS"
    if scan.name.suffix != "T1w":
        return f"as {scan.name.suffix} is not T1w"
    if scan.inside.rpartition("/")[0] != scan.name.folder:
        return "as its name belongs into another folder"
    return ""


def _labels(given: Sequence[str], key: str, scans: list[StudyScan], folder: Path) -> set[str]:
    """Those of `given`. Raises InputError for one that no scan has."""
    known = {label for scan in scans if (label := scan.name.label(key))}
    labels = {one.removeprefix(f"{key}-") for one in given}
    if missing := sorted(labels - known):
        said = f"it has {', '.join(sorted(known)[:20])}" if known else "its scans have none"
        raise InputError(f"{folder} has no T1 scan of {key}-{missing[0]}; {said}.")
    return labels


def _masks(folder: Path, out: Path, derivatives: Sequence[Path] | None) -> dict[BidsName, list[Path]]:
    """Brain masks on scans' own grids, by the names of their scans. Raises InputError for a folder that is not there."""
    inside = folder / "derivatives"
    places = list(derivatives) if derivatives is not None else sorted(inside.iterdir()) if inside.is_dir() else []
    found: dict[BidsName, list[Path]] = defaultdict(list)
    for place in places:
        if derivatives is not None and not place.is_dir():
            raise InputError(f"There is no folder {place}; give one of derivatives.")
        for path in named_nifti(place) if place.resolve() != out.resolve() else ():
            name = BidsName.of(stem(path.name))
            if name and name.suffix == "mask" and name.label("desc") == "brain" and name.label("space") in (None, "T1w"):
                own = tuple(one for one in name.entities if one[0] not in ("space", "desc"))
                found[BidsName(own, "T1w")].append(path)
    return found


def _mask(scan: StudyScan, masks: dict[BidsName, list[Path]]) -> Path | None:
    here = masks.get(scan.name, [])
    if len(here) > 1:
        raise InputError(
            f"Several derivatives hold a brain mask of {scan.name.stem}: {', '.join(map(str, here))}; keep one of them.",
            "vaead BIDS_DIR OUT participant --derivatives FOLDER",
        )
    return here[0] if here else None


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
