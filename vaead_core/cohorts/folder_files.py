"""Which files of a folder are scans: T1 by their BIDS names where there are such, no masks, each file once."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from vaead_core.scans.names import EXTENSION, stem

BESIDE = ("derivatives", "sourcedata", "code", "stimuli")  # in a BIDS dataset, folders of what are no raw scans
_NO_SCAN = re.compile(r"(.*[_-])?(mask|lesions?|seg|segmentation|dseg|probseg|labels?|truth)", re.IGNORECASE)


@dataclass(frozen=True)
class FolderFiles:
    """scans: their paths, sorted. left_out: what else was found, by kind → how many."""

    scans: list[Path]
    left_out: dict[str, int]

    @property
    def sentence(self) -> str:
        """What was left out, or "".

        >>> FolderFiles([], {"T2w": 2, "masks": 1}).sentence
        'Left out: 2 T2w, 1 masks.'
        """
        listed = ", ".join(f"{count} {kind}" for kind, count in self.left_out.items())
        return f"Left out: {listed}." if listed else ""


def folder_files(folder: Path) -> FolderFiles:
    """The scans below `folder`. With a `*_T1w` among the files it is read as BIDS: T1w alone, derivatives aside."""
    found = nifti_files(folder)
    bids = any(_suffix(path) == "T1w" for path in found)
    kinds = {path: _kind(path.relative_to(folder), bids) for path in found}
    left_out = Counter(kind for kind in kinds.values() if kind)
    return FolderFiles([path for path in found if not kinds[path]], dict(left_out.most_common()))


def nifti_files(folder: Path) -> list[Path]:
    """The NIfTI files below a folder, sorted, without hidden ones; links are followed, and each folder is read once."""
    return [path for path in named_nifti(folder) if path.is_file()]


def named_nifti(folder: Path, aside: Collection[str] = ()) -> list[Path]:
    """The same, with links that lead nowhere, as where a file's content was not fetched. aside: names of folders left unread."""
    found, seen = [], set()
    for place, folders, files in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in aside)
        if (real := os.path.realpath(place)) in seen:
            folders.clear()
            continue
        seen.add(real)
        found += [Path(place) / name for name in files if EXTENSION.search(name) and not name.startswith(".")]
    return sorted(found)


def _suffix(path: Path) -> str:
    return stem(path.name).rpartition("_")[2]


def _kind(inside: Path, bids: bool) -> str:
    """Why a file is no scan, in a word or two; "" for a scan."""
    if bids and (beside := next((part for part in inside.parts[:-1] if part in BESIDE), None)):
        return f"in {beside}"
    if bids and _suffix(inside) != "T1w":
        return _suffix(inside)
    return "masks" if _NO_SCAN.fullmatch(stem(inside.name)) else ""
