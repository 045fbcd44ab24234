"""One scan of a study, from its file to its derivatives: a call that any process or machine can take."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.checkpoints.search import opened
from vaead_core.checkpoints.site import Site
from vaead_core.computing.whole_file import write_whole
from vaead_core.errors import InputError, fault
from vaead_core.pipeline import scoring
from vaead_core.pipeline.limits.measuring import ThresholdedMap, detection_limits
from vaead_core.pipeline.limits.record import limits_record
from vaead_core.pipeline.scoring import PreparedScan, Scale, Scored
from vaead_core.scans.heads import with_mask
from vaead_core.scans.masks import read_mask
from vaead_core.scans.nifti import read_nifti
from vaead_core.scans.nifti_file import read_file
from vaead_core.scans.volume import Volume
from vaead_core.study.dataset import StudyScan
from vaead_core.study.derivatives import ATLAS, SPACE, derivatives
from vaead_core.study.kept_brains import with_kept_brain
from vaead_core.study.records import made_of, read_record, record_file, record_of, record_text
from vaead_core.study.scan_page import scan_page


@dataclass(frozen=True)
class Settings:
    """How every scan of a study is scored. checkpoint: its folder. site: a site's file. strip: as `with_brain` takes `extract`.

    rate: the share of healthy voxels above a map's threshold. command: what was typed, without places. limits: whether each
    map's detection limits are measured. work: a folder for brains that are found, which no result depends on.
    """

    checkpoint: str
    scorers: tuple[str, ...]
    scale: Scale
    site: str | None
    strip: bool | None
    rate: float
    command: str
    limits: bool = False
    work: Path | None = None

    @property
    def chosen(self) -> dict[str, Any]:
        """The options that results depend on beside the files."""
        names = ("scorers", "scale", "strip", "rate", "command", "limits")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class ScanWork:
    """A scan, and the folder of all results."""

    scan: StudyScan
    out: Path
    settings: Settings

    @property
    def folder(self) -> Path:
        """Where its own results lie."""
        return self.out / self.scan.name.folder

    @property
    def record(self) -> Path:
        """The file that is written last."""
        return record_file(self.out, self.scan)


@dataclass(frozen=True)
class Outcome:
    """sentence: why a scan has no maps; None where it has. kept: whether all lay there already."""

    name: str
    sentence: str | None
    kept: bool = False


def scored(work: ScanWork) -> Outcome:
    """Its results are written, its record last; what lies there of the same scan, checkpoint, settings and code is kept.

    A scan that cannot be scored gets a record with the sentence. Raises OSError where nothing can be written.
    """
    name = work.scan.name.stem
    work.folder.mkdir(parents=True, exist_ok=True)
    with threadpool_limits(1):  # sums in one order on any number of cores
        try:
            content = read_file(work.scan.path, work.scan.path.name)
            mask = read_file(work.scan.mask, work.scan.mask.name) if work.scan.mask and not work.settings.strip else None
        except InputError as error:
            _clear(work)
            return _failed(work, None, str(error))
        checkpoint, site = opened_pair(work.settings)
        of = made_of(content, mask, checkpoint, site, work.settings.chosen)
        if (kept := _finished(work, of)) is not None:
            return Outcome(name, kept["sentence"], kept=True)
        _clear(work)
        try:
            written: list[str] = []
            for file, made in _made(work, content, mask, checkpoint, site):
                if isinstance(made, dict):
                    _tell(work, of, None, made | {"files": written})
                else:
                    _put(work, file, made)
                    written.append(file)
            return Outcome(name, None)
        except OSError:
            raise
        except InputError as error:
            _clear(work)
            return _failed(work, of, str(error))
        except Exception as error:
            _clear(work)
            return _failed(work, None, fault(error) or _unforeseen(error))


def opened_pair(settings: Settings) -> tuple[Checkpoint, Site | None]:
    """Checkpoint and site, read once a process. Raises InputError."""
    return opened(settings.checkpoint), _site(settings.site, settings.checkpoint) if settings.site else None


@lru_cache(maxsize=4)
def _site(file: str, checkpoint: str) -> Site:
    return Site.read(Path(file), opened(checkpoint))


def _made(
    work: ScanWork, content: bytes, mask: bytes | None, checkpoint: Checkpoint, site: Site | None
) -> Iterator[tuple[str, bytes | str | dict[str, Any]]]:
    settings, scan = work.settings, read_nifti(content, work.scan.path.name)
    volume, said = _with_brain(scan, content, mask, work)
    prepared = scoring.prepare(volume, checkpoint)
    results = [scoring.score(prepared, checkpoint, name, settings.scale, site) for name in settings.scorers]
    limits = _limits(prepared, checkpoint, results, settings.rate) if settings.limits else None
    yield from derivatives(work.scan, prepared, results, checkpoint, settings.rate, settings.command, said, limits=limits)


def _limits(prepared: PreparedScan, checkpoint: Checkpoint, results: list[Scored], rate: float) -> dict[str, Any] | None:
    """The record of the maps' detection limits; None where there is no map."""
    maps = [ThresholdedMap.at(one, rate) for one in results if one.maps is not None]
    return (
        limits_record(prepared, maps, detection_limits(prepared, checkpoint, maps, lambda _: None), checkpoint, 0)
        if maps
        else None
    )


def _with_brain(scan: Volume, content: bytes, mask: bytes | None, work: ScanWork) -> tuple[Volume, tuple[str, ...]]:
    """The scan with its brain known, and what to say of a mask that does not fit."""
    settings = work.settings
    if mask is None or work.scan.mask is None:
        return with_kept_brain(scan, content, settings.strip, settings.work), ()
    if read_mask(mask, work.scan.mask.name).lies_on(scan):
        return with_mask(scan, mask, work.scan.mask.name), ()
    said = f"{work.scan.mask.name} has another grid than the scan and was not used."
    return with_kept_brain(scan, content, settings.strip, settings.work), (said,)


def _finished(work: ScanWork, of: dict[str, Any]) -> dict[str, Any] | None:
    """The record of results that lie there, whole and of the same make."""
    try:
        record = read_record(work.record)
    except InputError:  # no record of ours: made anew
        return None
    whole = record and record["made_of"] == of and all((work.out / file).is_file() for file in record["files"])
    return record if whole else None


def _clear(work: ScanWork) -> None:
    """Takes away what an earlier run, finished or killed, left of this scan: its record first, as that tells of the others."""
    work.record.unlink(missing_ok=True)
    began = work.scan.name.made("", space=SPACE, desc="").stem.removesuffix("_"), work.scan.name.transform_stem(SPACE, ATLAS)
    picture, page = work.out / work.scan.name.picture, work.out / work.scan.name.page
    for folder, names in (
        (work.folder, (*began, work.record.name, work.scan.name.limits)),
        (picture.parent, (picture.name,)),
        (page.parent, (page.name,)),
    ):
        for path in list(folder.iterdir()) if folder.is_dir() else ():
            if path.name.removeprefix(".").startswith(names):  # hidden where it was being written
                path.unlink(missing_ok=True)


def _failed(work: ScanWork, of: dict[str, Any] | None, sentence: str) -> Outcome:
    _tell(work, of, sentence, {"files": []})
    return Outcome(work.scan.name.stem, sentence)


def _tell(work: ScanWork, of: dict[str, Any] | None, sentence: str | None, made: dict[str, Any]) -> None:
    """Writes the scan's page, then the record. of: None where the next run shall try again."""
    record = record_of(work.scan, of, sentence, made)
    picture = (work.out / work.scan.name.picture).read_bytes() if sentence is None else None
    _put(work, work.scan.name.page, scan_page(record, picture))
    write_whole(work.record, record_text(record))


def _put(work: ScanWork, file: str, content: bytes | str) -> None:
    """Writes it at its place within the folder of all results."""
    path = work.out / file
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, content)


def _unforeseen(error: Exception) -> str:
    traceback.print_exception(error, file=sys.stderr)
    return f"vaead failed here as nobody foresaw ({type(error).__name__}); please report it with what was printed above."
