"""What a scan is called: by its file's name without the extension, or by its path where file names repeat."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

EXTENSION = re.compile(r"\.nii(\.gz)?$", re.IGNORECASE)
_ARCHIVE = re.compile(r"\.zip$", re.IGNORECASE)


def stem(name: str) -> str:
    """A file's name without .nii, .nii.gz or .zip.

    >>> stem("1.2.840.1.nii.gz"), stem("T1.NII"), stem("scan.v2")
    ('1.2.840.1', 'T1', 'scan.v2')
    """
    return _ARCHIVE.sub("", EXTENSION.sub("", name))


def names_apart(paths: Sequence[Path]) -> list[str]:
    """A name for each of `paths`, in order, no two alike on any file system: stems, or where they repeat paths.

    Such a path begins where the paths part, its folders joined by _. The same path twice has the same name twice.

    >>> names_apart([Path("a/t1.nii.gz"), Path("b/t1.nii.gz"), Path("b/t2.nii")])
    ['a_t1', 'b_t1', 'b_t2']
    """
    whole = [path.absolute() for path in paths]
    files = list(dict.fromkeys(whole))
    names = [stem(path.name) for path in files]
    if not _apart(names):
        shared = 0
        while len({path.parts[: shared + 1] for path in files}) == 1:
            shared += 1
        names = [stem("_".join(path.parts[shared:])) for path in files]
    if not _apart(names):  # a_b/c and a/b_c, or .nii beside .nii.gz
        names = [f"{name}-{number}" for number, name in enumerate(names, 1)]
    called = dict(zip(files, names, strict=True))
    return [called[path] for path in whole]


def _apart(names: list[str]) -> bool:
    return len({name.casefold() for name in names}) == len(names)
