"""A study's results as they lie there: which folders hold some, of which dataset, and the scans that they tell of."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vaead_core.cohorts.participants import participants
from vaead_core.errors import InputError, refusing
from vaead_core.figures.mosaic import MOST_BYTES, row_of
from vaead_core.scans.geometry import AffineToAtlas
from vaead_core.scans.names import stem
from vaead_core.scans.nifti_file import MAX_FILE_BYTES, read_file
from vaead_core.scans.transform_file import from_itk_text
from vaead_core.study.dataset import Study, StudyScan, find_study
from vaead_core.study.derivatives import ATLAS, SPACE
from vaead_core.study.description import FILE, makers, read_description
from vaead_core.study.group import GroupTable, group_table
from vaead_core.study.names import BidsName, as_label
from vaead_core.study.records import read_record, read_records, record_file

_TRANSFORM_BYTES = 1 << 20
_DEEPEST = 5  # folders below the one that is searched


@dataclass(frozen=True)
class Results:
    """out: the folder. study: whose they are; its folder is `out` itself where the dataset is not at hand.

    base: what no scan is read from outside of, wherever links lead.
    """

    out: Path
    study: Study
    base: Path

    @property
    def raw(self) -> Path | None:
        """The dataset, where it is at hand."""
        return None if self.study.folder == self.out else self.study.folder

    @property
    def digest(self) -> str:
        """Of what the table is made of, by names, times and sizes."""
        files = [*(record_file(self.out, scan) for scan in self.study.scans), self.study.folder / "participants.tsv"]
        return hashlib.blake2b(repr([(str(self.out), *_stamp(file)) for file in files]).encode()).hexdigest()

    def table(self) -> GroupTable:
        """Raises InputError where no scan has a record, and for a damaged one."""
        damaged = InputError("A record of these results is damaged; run participant again.")
        with refusing(damaged, KeyError, TypeError, ValueError, AttributeError):
            return group_table(self.study, read_records(self.out, self.study.scans))

    def scan(self, called: str) -> StudyScan:
        """That of a row of the table, by its column `scan`."""
        return next(one for one in self.study.scans if one.name.scan == called)

    def is_done(self, scan: StudyScan) -> bool:
        """Whether it was scored, or is said why it was not."""
        return record_file(self.out, scan).is_file()

    def record(self, scan: StudyScan) -> dict[str, Any]:
        """What was found of a scan; {} where it was not scored."""
        found = read_record(record_file(self.out, scan))
        return found if found and found["sentence"] is None else {}

    def content_digest(self, scan: StudyScan) -> str:
        """sha256 of the file that was scored; "" where none is known."""
        return str((self.record(scan).get("made_of") or {}).get("scan") or "")

    def picture(self, scan: StudyScan, method: str) -> bytes | None:
        """A method's row of the picture that was written of a scan, as WebP; None where there is none that is whole."""
        found = list(self.record(scan).get("found", ()))
        try:
            content = self.content(self.out / scan.name.picture, MOST_BYTES)
            return row_of(content, 1 + found.index(method), 1 + len(found))
        except (InputError, ValueError):
            return None

    def content(self, file: Path, most_bytes: int = MAX_FILE_BYTES) -> bytes:
        """Of a scan, a map or a picture. Raises InputError where it is gone or lies outside of `base`."""
        if not file.resolve().is_relative_to(self.base.resolve()):
            raise InputError(f"{file.name} lies outside of the folder that this server may read; lay the dataset below it.")
        return read_file(file, file.name, most_bytes)

    def map_file(self, scan: StudyScan, method: str) -> Path:
        """A method's map of a scan."""
        return self.out / scan.name.folder / f"{scan.name.made('statmap', space=SPACE, desc=as_label(method)).stem}.nii.gz"

    def transform(self, scan: StudyScan) -> AffineToAtlas:
        """The way of a scan to the atlas. Raises InputError where it is gone or damaged."""
        file = self.out / scan.name.folder / f"{scan.name.transform_stem(SPACE, ATLAS)}.txt"
        return from_itk_text(self.content(file, _TRANSFORM_BYTES).decode(errors="replace"), file.name)


def result_folders(base: Path) -> list[Path]:
    """Those below `base` that hold results of ours, sorted; datasets are not searched for them by subject."""
    found = []
    for place, folders, files in os.walk(base):
        folder = Path(place)
        deep = len(folder.relative_to(base).parts) >= _DEEPEST
        if FILE in files and _is_ours(folder) and has_records(folder):
            found.append(folder)
            deep = True
        folders[:] = [] if deep else sorted(name for name in folders if not name.startswith((".", "sub-")))
    return sorted(found)


def read_results(out: Path, base: Path) -> Results:
    """Those of a folder, with their dataset where it lies below `base`. Raises InputError."""
    raw = dataset_of(out)
    if raw is not None and raw.is_dir() and raw.resolve().is_relative_to(base.resolve()):
        return Results(out, find_study(raw, out, derivatives=()), base)
    scans = []
    for path in sorted(_records(out)):
        record = read_record(path)
        if record and (name := BidsName.of(stem(Path(str(record["scan"])).name))):
            scans.append(StudyScan(out / str(record["scan"]), str(record["scan"]), name))
    return Results(out, Study(out, tuple(scans), {}, participants(out / "participants.tsv")), base)


def dataset_of(out: Path) -> Path | None:
    """The dataset that results say they are of. Raises InputError where they say nothing that can be read."""
    links = read_description(out).get("DatasetLinks")
    raw = links.get("raw") if isinstance(links, dict) else None
    return Path(os.path.normpath(out.resolve() / raw)) if isinstance(raw, str) and "://" not in raw else None


def has_records(out: Path) -> bool:
    """Whether any scan was come to."""
    return next(_records(out), None) is not None


def _is_ours(folder: Path) -> bool:
    """A description that cannot be read is nobody's."""
    try:
        return "vaead" in makers(folder)
    except InputError:
        return False


def _records(out: Path) -> Iterator[Path]:
    for pattern in ("sub-*/anat/*_scores.json", "sub-*/ses-*/anat/*_scores.json"):
        yield from out.glob(pattern)


def _stamp(file: Path) -> tuple[str, int, int]:
    try:
        about = file.stat()
    except OSError:
        return file.name, 0, 0
    return file.name, about.st_mtime_ns, about.st_size
