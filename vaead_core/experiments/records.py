"""Measurements of single subjects, and the table of their means, intervals and chance levels that is recorded."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
from filelock import FileLock

from vaead_core.computing.whole_file import write_whole
from vaead_core.errors import InputError
from vaead_core.measures.metrics import interval_over_subjects

COLUMNS = (
    "experiment", "task", "scorer", "detector_settings", "masked", "dataset", "combination", "subject_count", "ap", "ap_low",
    "ap_high", "auroc", "prevalence", "checkpoint", "seed", "pooled_ap", "best_dice", "dice_at_5",
)  # fmt: skip
ALL = "all"
PARTS = ".parts"  # folder of finished parts and of locks, beside the tables
PLAIN, COMPRESSED = ".csv", ".csv.gz"
MOST_PLAIN_BYTES = 100_000  # larger tables are kept compressed
_GROUP = ["task", "scorer", "detector_settings", "masked", "dataset", "combination", "checkpoint", "seed"]
_SOURCE = ["scorer", "dataset", "checkpoint", "seed"]
_MEANS = ["ap", "auroc", "prevalence", "pooled_ap", "best_dice", "dice_at_5"]


@dataclass(frozen=True)
class Measurement:
    """One score of one subject on one combination of a dataset.

    task: segmentation, detection (against clean twins) or detection_rest (against the rest of the scan).
    detector_settings: what differs from the scorer's defaults, "stage=2"; "top10" and the like for an aggregate of a map.
    ap, auroc, best_dice: means over the subject's slices (segmentation) or over its one ranking of slices (detection).
    dice_at_5: Dice at the threshold that 5 % of healthy validation pixels exceed; NaN where there is none.
    ap_low, ap_high: an interval where the images are the sample; else NaN, and the table has one over subjects.
    """

    task: str
    scorer: str
    detector_settings: str
    masked: bool
    dataset: str
    combination: str
    subject: str
    checkpoint: str
    seed: int
    ap: float
    auroc: float
    prevalence: float
    pooled_ap: float = float("nan")
    best_dice: float = float("nan")
    dice_at_5: float = float("nan")
    ap_low: float = float("nan")
    ap_high: float = float("nan")


def table(experiment: str, measurements: list[Measurement]) -> pd.DataFrame:
    """One row a score and combination, and one with combination "all": means over subjects with 95 % intervals.

    The row "all" is the mAP: each subject's mean over the combinations, then the mean over subjects.
    """
    single = pd.DataFrame([asdict(one) for one in measurements])
    whole = single.groupby([*(name for name in _GROUP if name != "combination"), "subject"], as_index=False)[_MEANS].mean()
    done = set(single.loc[single["combination"] == ALL, "dataset"])
    every = pd.concat([single, whole[~whole["dataset"].isin(done)].assign(combination=ALL)], ignore_index=True)
    every = every.sort_values("subject", kind="stable")
    groups = every.groupby(_GROUP)
    values, given = every["ap"].to_numpy(), every[["ap_low", "ap_high"]].to_numpy()
    bounds = {
        key: given[at[0]] if len(at) == 1 and np.isfinite(given[at[0], 0]) else interval_over_subjects(values[at])
        for key, at in groups.indices.items()
    }
    rows = groups[_MEANS].mean().assign(subject_count=groups.size())
    rows[["ap_low", "ap_high"]] = [bounds[key] for key in rows.index]
    return rows.reset_index().assign(experiment=experiment)[list(COLUMNS)]


def to_add_to(folder: Path, name: str) -> pd.DataFrame:
    """A recorded table. Raises InputError when there is none."""
    known = read(folder, name)
    if known is None:
        raise InputError(f"There is no table {name} in {folder}, so that nothing can be added to it; measure it without --add.")
    return known


def added(folder: Path, name: str, rows: pd.DataFrame, about: dict[str, Any]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A recorded table with `rows` in place of those of the same scorers in the same datasets, checkpoints and seeds, in the
    order of one that was measured at once; and what it was made of, with `about` under "added" in place of what the same
    command added before. Raises InputError."""
    known = to_add_to(folder, name)
    again = known.set_index(_SOURCE).index.isin(rows.set_index(_SOURCE).index)
    kept = known[~again]
    both = pd.concat([kept, rows], ignore_index=True).sort_values(_GROUP, kind="stable")[list(COLUMNS)]
    first = about_of(folder, name)
    before = [one for one in first.get("added", []) if one["command"] != about["command"]]
    return both, first | {"added": [*before, about]}


def write(folder: Path, name: str, rows: pd.DataFrame, about: dict[str, Any]) -> Path:
    """The table's file, numbers to 6 digits after the point, and `<name>.json` with what it was made of and its digest.

    The same rows give the same bytes, compressed or not. Whenever a writer is stopped, what is read is whole, and of one
    measurement: what tells of a new table lies there, hidden, before the table takes its place.
    """
    folder.mkdir(parents=True, exist_ok=True)
    content = rows.round(6).to_csv(index=False, lineterminator="\n").encode()
    plain, compressed = folder / f"{name}{PLAIN}", folder / f"{name}{COMPRESSED}"
    path, other = (plain, compressed) if len(content) <= MOST_PLAIN_BYTES else (compressed, plain)
    write_whole(_coming(folder, name), json.dumps(about | {"table": _digest(content)}, indent=1) + "\n")
    write_whole(path, content if path is plain else gzip.compress(content, mtime=0))
    other.unlink(missing_ok=True)
    _coming(folder, name).replace(folder / f"{name}.json")
    return path


def _coming(folder: Path, name: str) -> Path:
    return folder / f".{name}.json.coming"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def writing(folder: Path, name: str) -> FileLock:
    """Held by who reads a table to write it: of two who add to one, the other waits."""
    (folder / PARTS).mkdir(parents=True, exist_ok=True)
    return FileLock(folder / PARTS / f"{name}.lock")


def remove(folder: Path, name: str) -> None:
    """Takes a recorded table away, if it is there."""
    for ending in (PLAIN, COMPRESSED):
        (folder / f"{name}{ending}").unlink(missing_ok=True)


def content(folder: Path, name: str) -> bytes | None:
    """A recorded table as CSV, or None where it was not recorded."""
    if (folder / f"{name}{COMPRESSED}").is_file():
        return gzip.decompress((folder / f"{name}{COMPRESSED}").read_bytes())
    plain = folder / f"{name}{PLAIN}"
    return plain.read_bytes() if plain.is_file() else None


def recorded(folder: Path) -> list[str]:
    """The names of the tables that a folder holds; other CSV files do not count."""
    header = f"{','.join(COLUMNS)}\n".encode()
    plain = {path.name.removesuffix(PLAIN) for path in folder.glob(f"*{PLAIN}") if _first_line(path.open("rb")) == header}
    compressed = folder.glob(f"*{COMPRESSED}")
    return sorted(plain | {path.name.removesuffix(COMPRESSED) for path in compressed if _first_line(gzip.open(path)) == header})


def read(folder: Path, name: str) -> pd.DataFrame | None:
    """A recorded table, or None where it was not recorded. Raises InputError where it is not the one that its record tells of."""
    found = content(folder, name)
    if found is None:
        return None
    about_of(folder, name)
    return pd.read_csv(
        io.BytesIO(found), keep_default_na=False, na_values=[""], dtype={"detector_settings": str}
    ).fillna({"detector_settings": ""})  # fmt: skip


def of_maps(rows: pd.DataFrame) -> pd.DataFrame:
    """Those of maps as they are calibrated, over all combinations."""
    return rows[
        (rows["task"] == "segmentation") & (rows["detector_settings"] == "") & rows["masked"] & (rows["combination"] == ALL)
    ]


def about_of(folder: Path, name: str) -> dict[str, Any]:
    """What a recorded table was made of; {} where nothing tells. Raises InputError where what is told is of another table."""
    digest = _digest(content(folder, name) or b"")
    told = [json.loads(path.read_text()) for path in (folder / f"{name}.json", _coming(folder, name)) if path.is_file()]
    for about in told or [{}]:
        if about.get("table", digest) == digest:
            return about
    raise InputError(f"The table {name} is not the one that {name}.json tells of; measure it again, or take both from one place.")


def _first_line(file: BinaryIO | gzip.GzipFile) -> bytes:
    with file:
        return file.readline()
